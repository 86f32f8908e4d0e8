// The first and only process of a guest whose clock may be set: shows what realtime.c does when that happens.
#include <poll.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "realtime.h"

static const int64_t second = 1000000000;
static int failures = 0;

static int64_t monotonic(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second + time.tv_nsec;
}

static void check(const char *what, int right) {
    printf("%s: %s\n", right ? "ok" : "WRONG", what);
    failures += !right;
}

static void set_clock_by(int64_t seconds) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += seconds;
    if (clock_settime(CLOCK_REALTIME, &time) != 0) perror("clock_settime");
}

/// A child that sets the clock in 300 ms.
static pid_t set_clock_later(int64_t seconds) {
    pid_t child = fork();
    if (child != 0) return child;
    usleep(300000);
    set_clock_by(seconds);
    _exit(0);
}

static int wakes(int timer, int milliseconds) {
    struct pollfd poller = {.fd = timer, .events = POLLIN};
    return poll(&poller, 1, milliseconds) == 1;
}

static void timers(void) {
    const int64_t steps[] = {3600, -3600};
    for (int index = 0; index < 2; index++) {
        int timer = fermata_timer_open(fermata_realtime_ns() + 100000 * second);
        pid_t child = set_clock_later(steps[index]);
        check("a timer of a far deadline sleeps while the clock only runs", !wakes(timer, 50));
        check("setting the clock wakes it up", wakes(timer, 20000));
        check("and it says so", fermata_timer_clock_was_set(timer) == 1);
        check("once", fermata_timer_clock_was_set(timer) == 0);
        waitpid(child, NULL, 0);
        close(timer);
    }

    int expired = fermata_timer_open(fermata_realtime_ns() - second);
    check("an expired timer is readable", wakes(expired, 1000));
    set_clock_by(-5);
    check("and still tells of a step after that", fermata_timer_clock_was_set(expired) == 1);
    close(expired);

    int later = fermata_timer_open(fermata_realtime_ns() + 100000 * second);
    check("a timer does not know of steps before it", fermata_timer_clock_was_set(later) == 0);
    struct timex slew = {.modes = ADJ_OFFSET_SINGLESHOT, .offset = 200000};
    check("the clock can be slewed", adjtimex(&slew) >= 0);
    check("slewing is no step", !wakes(later, 1000) && fermata_timer_clock_was_set(later) == 0);
    close(later);
}

static void spinning(void) {
    int64_t start = monotonic();
    pid_t child = set_clock_later(-3600);
    check("a spin ends when the clock is set back", fermata_spin(fermata_realtime_ns() + second) == 1);
    check("about when it would have ended anyway", monotonic() - start < 20 * second);
    waitpid(child, NULL, 0);

    int pair[2][2];
    for (int index = 0; index < 2; index++) socketpair(AF_UNIX, SOCK_STREAM, 0, pair[index]);
    int64_t now = fermata_realtime_ns();
    struct fermata_shot shots[2] = {
        {.descriptor = pair[0][0], .bytes = "a", .length = 1, .due_ns = now},
        {.descriptor = pair[1][0], .bytes = "b", .length = 1, .due_ns = now + second},
    };
    start = monotonic();
    child = set_clock_later(-3600);
    fermata_fire(shots, 2);
    check("shots leave although the clock is set back between them", shots[0].written == 1 && shots[1].written == 1);
    check("and not an hour later", monotonic() - start < 20 * second);
    waitpid(child, NULL, 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("\n");
    timers();
    spinning();
    printf("clock-step: %s\n", failures == 0 ? "all as it should be" : "FAILED");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
