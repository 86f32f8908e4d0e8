#include "realtime.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = 1000000000;
// How far CLOCK_REALTIME may be behind CLOCK_MONOTONIC's idea of it before that is called a step. Both run at the same
// rate (a slew moves both); only the two readings are not of one moment, and a preempted thread makes that gap wide.
static const int64_t step_slack_ns = 1000000;

static int64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * second_ns + time.tv_nsec;
}

int64_t fermata_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

int fermata_timer_open(int64_t deadline_ns) {
    // An all-zero time would disarm the timer.
    if (deadline_ns < 1) deadline_ns = 1;
    struct itimerspec setting = {
        .it_value = {.tv_sec = deadline_ns / second_ns, .tv_nsec = deadline_ns % second_ns},
    };
    int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0) return -errno;
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    // ECANCELED: the clock was set in between; the timer is armed all the same, against the new time.
    if (timerfd_settime(timer, flags, &setting, NULL) < 0 && errno != ECANCELED) {
        int error = errno;
        close(timer);
        return -error;
    }
    return timer;
}

int fermata_timer_clock_was_set(int timer) {
    uint64_t expirations;
    return read(timer, &expirations, sizeof expirations) < 0 && errno == ECANCELED;
}

int fermata_event_open(void) {
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event < 0 ? -errno : event;
}

void fermata_event_raise(int event) {
    // Fails only when the count is full: then it is raised already.
    (void)!eventfd_write(event, 1);
}

void fermata_event_clear(int event) {
    eventfd_t count;
    (void)!eventfd_read(event, &count);
}

/// Waits for `due_ns`; `reading` gets the clock's last reading. 1 when the clock was set back.
static int spin_until(clockid_t clock, int64_t due_ns, int64_t *reading) {
    int64_t now = clock_ns(clock);
    if (now < due_ns) {
        int64_t limit = clock_ns(CLOCK_MONOTONIC) + (due_ns - now) + step_slack_ns;
        while ((now = clock_ns(clock)) < due_ns) {
            if (clock_ns(CLOCK_MONOTONIC) > limit) {
                // Once more: the thread may have been off the processor between the two readings.
                now = clock_ns(clock);
                *reading = now;
                return now < due_ns;
            }
        }
    }
    *reading = now;
    return 0;
}

int fermata_spin_on(clockid_t clock, int64_t due_ns) {
    int64_t reading;
    return spin_until(clock, due_ns, &reading);
}

int fermata_spin(int64_t due_ns) { return fermata_spin_on(CLOCK_REALTIME, due_ns); }

void fermata_fire(struct fermata_shot *shots, size_t count) {
    int stepped = 0;
    for (size_t index = 0; index < count; index++) {
        struct fermata_shot *shot = &shots[index];
        if (stepped) {
            shot->written_at_ns = clock_ns(CLOCK_REALTIME);
        } else {
            stepped = spin_until(CLOCK_REALTIME, shot->due_ns, &shot->written_at_ns);
        }
        ssize_t written = send(shot->descriptor, shot->bytes, shot->length, MSG_NOSIGNAL | MSG_DONTWAIT);
        shot->written = written < 0 ? -errno : written;
    }
}

int fermata_thread_fifo(int priority) {
    struct sched_param parameter = {.sched_priority = priority};
    // 0 is the calling thread. A child that a runtime forks from here must not starve the host.
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) < 0 ? -errno : 0;
}

int fermata_fifo_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTPRIO, &limit) < 0) return 0;
    rlim_t highest = (rlim_t)sched_get_priority_max(SCHED_FIFO);
    return (int)(limit.rlim_cur < highest ? limit.rlim_cur : highest);
}

int fermata_lock_memory(void) { return mlockall(MCL_CURRENT | MCL_ONFAULT) < 0 ? -errno : 0; }

int fermata_lock_stack(void) {
    pthread_attr_t attributes;
    int error = pthread_getattr_np(pthread_self(), &attributes);
    if (error != 0) return -error;
    void *address;
    size_t size;
    error = pthread_attr_getstack(&attributes, &address, &size);
    pthread_attr_destroy(&attributes);
    if (error != 0) return -error;
    return mlock(address, size) < 0 ? -errno : 0;
}

void fermata_thread_prepare(const char *name) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), name);
}

int fermata_clock_discipline(struct fermata_clock_discipline *result) {
    struct timex discipline = {.modes = 0};
    int state = adjtimex(&discipline);
    if (state < 0) return -errno;
    result->synchronised = state != TIME_ERROR && (discipline.status & STA_UNSYNC) == 0;
    result->maximum_error_us = discipline.maxerror;
    result->estimated_error_us = discipline.esterror;
    return 0;
}

FILE *fermata_stdout(void) { return stdout; }
FILE *fermata_stderr(void) { return stderr; }
