#ifndef CSHIMS_REALTIME_H
#define CSHIMS_REALTIME_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/// CLOCK_REALTIME in nanoseconds since the Unix epoch.
int64_t fermata_realtime_ns(void);

/// A timer on CLOCK_REALTIME that is readable from `deadline_ns` on, or as soon as anybody sets the clock:
/// close-on-exec, non-blocking; the descriptor or -errno. A deadline before the epoch counts as the epoch.
int fermata_timer_open(int64_t deadline_ns);

/// 1 when the clock was set since fermata_timer_open or the last call that said so, else 0. Never blocks.
int fermata_timer_clock_was_set(int timer);

/// An eventfd, close-on-exec, non-blocking; or -errno.
int fermata_event_open(void);
void fermata_event_raise(int event);
/// Sets the count back to zero.
void fermata_event_clear(int event);

/// One prepared write and what became of it.
struct fermata_shot {
    int descriptor;
    const void *bytes;
    size_t length;
    /// Not before CLOCK_REALTIME reads this.
    int64_t due_ns;
    /// Out: the clock's reading right before the write; 0 when it was not tried.
    int64_t written_at_ns;
    /// Out: bytes the kernel took, or -errno.
    int64_t written;
};

/// Spins until CLOCK_REALTIME reads `due_ns`: 0. Returns 1 when the clock has not got there although, by
/// CLOCK_MONOTONIC, it should have a millisecond ago: it was set back, and waiting on would hold the processor for as
/// long as the step is wide.
int fermata_spin(int64_t due_ns);
/// The same on any clock: one that stands still shows that the wait ends all the same.
int fermata_spin_on(clockid_t clock, int64_t due_ns);

/// Sends every shot when it is due, in order, without blocking and without SIGPIPE. `shots` are sorted by `due_ns`.
/// No allocation, no lock, nothing but clock readings and send(). A clock that is set back meanwhile makes the rest
/// leave at once.
void fermata_fire(struct fermata_shot *shots, size_t count);

/// Puts the calling thread under SCHED_FIFO, not inherited by children: 0 or -errno.
int fermata_thread_fifo(int priority);
/// The highest SCHED_FIFO priority that RLIMIT_RTPRIO leaves to an unprivileged caller; 0 when none.
int fermata_fifo_limit(void);
/// Locks what this process has mapped now and what it faults in there later. Not what is mapped later: a checkpoint's
/// RAM file would be locked with it. 0 or -errno.
int fermata_lock_memory(void);
/// Locks the calling thread's stack: 0 or -errno.
int fermata_lock_stack(void);
/// Names the calling thread and keeps all signals away from it.
void fermata_thread_prepare(const char *name);

/// What the kernel's clock discipline says (adjtimex, read only).
struct fermata_clock_discipline {
    int synchronised;
    int64_t maximum_error_us;
    int64_t estimated_error_us;
};
/// 0 or -errno.
int fermata_clock_discipline(struct fermata_clock_discipline *result);

/// The globals that Swift 6 refuses as shared mutable state.
FILE *fermata_stdout(void);
FILE *fermata_stderr(void);

#endif
