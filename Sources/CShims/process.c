#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern char **environ;

/// What the child writes into the pipe when it does not get as far as exec.
struct failure {
    int stage;
    int error;
};

/// Everything the child needs, made before the fork: after it only async-signal-safe calls are allowed, because another
/// thread of ours may hold any lock at that moment.
struct plan {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const struct fermata_spawn_options *options;
    pid_t parent;
    int report;
    /// 3 + inherited_count entries: where each source is parked, and the number it goes to.
    int *parked;
    const int *sources;
    const int *targets;
    size_t count;
    int first_free;
};

static void fail(const struct plan *plan, int stage) {
    struct failure failure = {.stage = stage, .error = errno};
    (void)!write(plan->report, &failure, sizeof failure);
    _exit(127);
}

static void run_child(struct plan *plan) {
    const struct fermata_spawn_options *options = plan->options;

    // All signals are still blocked: no handler of ours can run here before its disposition is gone.
    // The system call, since glibc's sigaction refuses its own signals 32 and 33, which a parent may have left ignored.
    // All zero is SIG_DFL without flags, however this processor's kernel_sigaction is laid out.
    static const unsigned long standard[8] = {0};
    static const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (int signal = 1; signal < NSIG; signal++) {
        syscall(SYS_rt_sigaction, signal, standard, NULL, NSIG / 8);
        if (options->ignored_signals >> (signal - 1) & 1) sigaction(signal, &ignore, NULL);
    }

    if (options->new_session) {
        if (setsid() < 0) fail(plan, FERMATA_SPAWN_SESSION);
    } else if (options->new_process_group) {
        if (setpgid(0, 0) < 0) fail(plan, FERMATA_SPAWN_SESSION);
    }

    if (options->parent_death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, options->parent_death_signal) < 0) fail(plan, FERMATA_SPAWN_DEATH_SIGNAL);
        // A parent that went before prctl sends no signal any more.
        if (getppid() != plan->parent) {
            errno = ESRCH;
            fail(plan, FERMATA_SPAWN_DEATH_SIGNAL);
        }
    }

    if (options->working_directory != NULL && chdir(options->working_directory) < 0) {
        fail(plan, FERMATA_SPAWN_DIRECTORY);
    }

    // Sources and targets may overlap in any order: first park all sources above every target, then mark all as
    // close-on-exec, then put each in its place, where dup2 leaves it open.
    int report = fcntl(plan->report, F_DUPFD_CLOEXEC, plan->first_free);
    if (report < 0) fail(plan, FERMATA_SPAWN_DESCRIPTORS);
    plan->report = report;
    for (size_t index = 0; index < plan->count; index++) {
        int source = plan->sources[index];
        if (source < 0) {
            int null = open("/dev/null", O_RDWR | O_CLOEXEC);
            if (null < 0) fail(plan, FERMATA_SPAWN_DESCRIPTORS);
            plan->parked[index] = fcntl(null, F_DUPFD_CLOEXEC, plan->first_free);
        } else {
            plan->parked[index] = fcntl(source, F_DUPFD_CLOEXEC, plan->first_free);
        }
        if (plan->parked[index] < 0) fail(plan, FERMATA_SPAWN_DESCRIPTORS);
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0) fail(plan, FERMATA_SPAWN_DESCRIPTORS);
    for (size_t index = 0; index < plan->count; index++) {
        if (dup2(plan->parked[index], plan->targets[index]) < 0) fail(plan, FERMATA_SPAWN_DESCRIPTORS);
    }

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    execve(plan->path, plan->arguments, plan->environment);
    fail(plan, FERMATA_SPAWN_EXEC);
}

/// Reads the child's report: 0 when exec closed the pipe, else the errno of the step that failed.
static int await_exec(int pipe, int *stage) {
    struct failure failure;
    ssize_t got;
    do {
        got = read(pipe, &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return 0;
    if (got != (ssize_t)sizeof failure) return EIO;
    *stage = failure.stage;
    return failure.error;
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int valid(const struct fermata_spawn_options *options) {
    for (size_t index = 0; index < options->inherited_count; index++) {
        if (options->inherited[index] < 0 || options->inherited_as[index] < 3) return 0;
        for (size_t other = 0; other < index; other++) {
            if (options->inherited_as[other] == options->inherited_as[index]) return 0;
        }
    }
    return 1;
}

int fermata_spawn(const char *path, char *const arguments[], char *const environment[],
                  const struct fermata_spawn_options *options, pid_t *pid, int *pidfd, int *stage) {
    int ignored;
    if (stage == NULL) stage = &ignored;
    *stage = FERMATA_SPAWN_FORK;
    if (!valid(options)) {
        *stage = FERMATA_SPAWN_DESCRIPTORS;
        return -EINVAL;
    }

    size_t count = 3 + options->inherited_count;
    int *numbers = calloc(count * 3, sizeof *numbers);
    if (numbers == NULL) return -ENOMEM;
    int *sources = numbers, *targets = numbers + count, *parked = numbers + 2 * count;
    sources[0] = options->standard_input;
    sources[1] = options->standard_output;
    sources[2] = options->standard_error;
    int highest = 2;
    for (int index = 0; index < 3; index++) targets[index] = index;
    for (size_t index = 0; index < options->inherited_count; index++) {
        sources[3 + index] = options->inherited[index];
        targets[3 + index] = options->inherited_as[index];
        if (targets[3 + index] > highest) highest = targets[3 + index];
    }

    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) {
        int error = errno;
        free(numbers);
        return -error;
    }

    struct plan plan = {
        .path = path,
        .arguments = arguments,
        .environment = environment != NULL ? environment : environ,
        .options = options,
        .parent = getpid(),
        .report = report[1],
        .parked = parked,
        .sources = sources,
        .targets = targets,
        .count = count,
        .first_free = highest + 1,
    };

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) run_child(&plan);
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        free(numbers);
        return -fork_error;
    }

    int error = await_exec(report[0], stage);
    close(report[0]);
    free(numbers);
    if (error == 0) {
        // Not a race: an ended child keeps its id until somebody collects it, and nobody else knows it yet.
        int descriptor = fermata_pidfd_open(child);
        if (descriptor >= 0) {
            *pid = child;
            *pidfd = descriptor;
            return 0;
        }
        *stage = FERMATA_SPAWN_FORK;
        error = -descriptor;
        kill(child, SIGKILL);
    }
    reap(child);
    return -error;
}

int fermata_pidfd_open(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0U);
    return descriptor < 0 ? -errno : descriptor;
}

int fermata_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U) < 0 ? -errno : 0;
}

int fermata_pidfd_reap(int pidfd, struct fermata_exit *result) {
    siginfo_t information = {.si_pid = 0};
    int outcome;
    do {
        outcome = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &information, WEXITED | WNOHANG);
    } while (outcome < 0 && errno == EINTR);
    if (outcome < 0) return -errno;
    if (information.si_pid == 0) return -EAGAIN;
    result->by_signal = information.si_code != CLD_EXITED;
    result->value = information.si_status;
    return 0;
}

char **fermata_environment(void) { return environ; }

int fermata_read_pages(pid_t pid, uintptr_t first, size_t page_size, size_t count) {
    enum { LIMIT = 1024 };
    if (count > LIMIT) return -EINVAL;
    char bytes[LIMIT];
    struct iovec own = { .iov_base = bytes, .iov_len = count }, theirs[LIMIT];
    for (size_t page = 0; page < count; page++)
        theirs[page] = (struct iovec) { .iov_base = (void *)(first + page * page_size), .iov_len = 1 };
    ssize_t read = process_vm_readv(pid, &own, 1, theirs, count, 0);
    if (read == (ssize_t)count) return 0;
    return read < 0 ? -errno : -EFAULT;
}
