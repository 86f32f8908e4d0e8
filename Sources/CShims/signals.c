#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int writing_end = -1;

static void note(int number, siginfo_t *information, void *context) {
    (void)context;
    int before = errno;
    struct fermata_signal signal = {.number = number, .from_kernel = information->si_code == SI_KERNEL};
    // Shorter than PIPE_BUF: whole or not at all. A pipe that is full has told of signals enough.
    (void)!write(writing_end, &signal, sizeof signal);
    errno = before;
}

int fermata_watch_signals(const int *signals, size_t count) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    // The handler must never wait.
    if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) return -errno;
    writing_end = ends[1];
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    action.sa_sigaction = note;
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < count; index++) {
        if (!fermata_signal_is_ignored(signals[index])) sigaction(signals[index], &action, NULL);
    }
    return ends[0];
}

int fermata_signal_is_ignored(int signal) {
    struct sigaction present;
    return sigaction(signal, NULL, &present) == 0 && present.sa_handler == SIG_IGN;
}
