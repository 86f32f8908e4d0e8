// A wrong clock for one process and what it starts: CLOCK_REALTIME is off by SKEW_SECONDS, and nothing else is.
//
// libfaketime 0.9.10 shifts absolute timers of every clock (its timerfd_settime does not look which one a timer is on), so that with a
// clock that is behind each sleep of Swift's runtime, which is on CLOCK_MONOTONIC, takes longer by as much, and with one that is ahead
// none at all. Here a time is one of CLOCK_REALTIME when it is later than 2001: no other clock of a machine counts that far.
//
//     gcc -shared -fPIC -o skew.so skew.c      SKEW_SECONDS=-45 LD_PRELOAD=…/skew.so fermata agent …

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

static const time_t earliest = 1000000000;

static time_t skew(void) {
    static time_t seconds;
    static int known;
    if (!known) {
        const char *text = getenv("SKEW_SECONDS");
        seconds = text != NULL ? atol(text) : 0;
        known = 1;
    }
    return seconds;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// What the kernel understands of a time that the process thinks of.
static struct timespec true_time(const struct timespec *time) {
    struct timespec result = *time;
    if (result.tv_sec >= earliest) result.tv_sec -= skew();
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static __typeof__(&clock_gettime) next;
    if (next == NULL) next = REAL(clock_gettime);
    int result = next(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += skew();
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int result = REAL(gettimeofday)(time, zone);
    if (result == 0) time->tv_sec += skew();
    return result;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}

int timerfd_settime(int timer, int flags, const struct itimerspec *new, struct itimerspec *old) {
    struct itimerspec setting = *new;
    if (flags & TFD_TIMER_ABSTIME) setting.it_value = true_time(&new->it_value);
    return REAL(timerfd_settime)(timer, flags, &setting, old);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *left) {
    struct timespec until = flags & TIMER_ABSTIME ? true_time(request) : *request;
    return REAL(clock_nanosleep)(clock, flags, &until, left);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    struct timespec until = true_time(deadline);
    return REAL(sem_timedwait)(semaphore, &until);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline) {
    // An older function has the same name.
    __typeof__(&pthread_cond_timedwait) next = (__typeof__(next))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec until = true_time(deadline);
    return next(condition, mutex, &until);
}
