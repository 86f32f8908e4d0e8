#ifndef CSHIMS_PROCESS_H
#define CSHIMS_PROCESS_H

#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

/// The step of fermata_spawn that failed, so that an error can name it: ENOENT of chdir and of exec are different news.
enum fermata_spawn_stage {
    FERMATA_SPAWN_FORK = 0,
    FERMATA_SPAWN_SESSION,
    FERMATA_SPAWN_DEATH_SIGNAL,
    FERMATA_SPAWN_DIRECTORY,
    FERMATA_SPAWN_DESCRIPTORS,
    FERMATA_SPAWN_EXEC,
};

struct fermata_spawn_options {
    /// -1 opens /dev/null.
    int standard_input, standard_output, standard_error;
    /// Descriptors the child keeps beside 0, 1, 2: `inherited[i]` here becomes `inherited_as[i]` (3 or more) there.
    const int *inherited;
    const int *inherited_as;
    size_t inherited_count;
    /// NULL keeps the caller's.
    const char *working_directory;
    /// setsid(): the child outlives our terminal and our process group. Wins over new_process_group.
    int new_session;
    int new_process_group;
    /// A signal the child gets when the *thread* that called fermata_spawn ends; 0 for children that outlive us.
    int parent_death_signal;
    /// Signals that the child ignores from the beginning: bit N - 1 for signal N.
    uint64_t ignored_signals;
};

/// Starts the program at `path` (no search through PATH), with nothing of ours but what `options` names: no descriptor,
/// no signal mask, no signal disposition. `environment` NULL passes ours on.
///
/// Returns 0 once exec has succeeded, with the child's id and a close-on-exec pidfd that the caller owns; else -errno
/// with the step in `stage` (may be NULL), and no child is left.
int fermata_spawn(const char *path, char *const arguments[], char *const environment[],
                  const struct fermata_spawn_options *options, pid_t *pid, int *pidfd, int *stage);

/// A close-on-exec descriptor that gets readable when the process ends, also for one that is not our child; or -errno.
int fermata_pidfd_open(pid_t pid);

/// Sends a signal to exactly that process, never to a later one with the same id: 0 or -errno (ESRCH: it has ended).
int fermata_pidfd_signal(int pidfd, int signal);

/// How a child ended: the exit status, or the number of the signal that ended it.
struct fermata_exit {
    int by_signal;
    int value;
};

/// Collects an ended child. 0, -EAGAIN while it runs, -ECHILD when it is not our child (then poll says that it ended,
/// and how is for its parent to know).
int fermata_pidfd_reap(int pidfd, struct fermata_exit *result);

/// Reads one byte of each of `count` pages (1024 at most) of another process, from `first` on, as if it had read them itself:
/// 0 or -errno. EPERM: it may not be looked into; EFAULT: not all of it is memory.
int fermata_read_pages(pid_t pid, uintptr_t first, size_t page_size, size_t count);

/// The environment of this process; Swift 6 refuses the global as shared mutable state.
char **fermata_environment(void);

#endif
