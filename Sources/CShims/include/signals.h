#ifndef CSHIMS_SIGNALS_H
#define CSHIMS_SIGNALS_H

#include <stddef.h>

/// A signal that came, and whether the kernel sent it for a terminal: then every process in the terminal's foreground has it already.
struct fermata_signal {
    int number;
    int from_kernel;
};

/// From now on each of these signals that is not ignored is written to a pipe as a ``fermata_signal`` instead of ending this process.
/// Returns the pipe's reading end, close-on-exec, or -errno. To be called once.
int fermata_watch_signals(const int *signals, size_t count);

/// Whether this process was started with the signal ignored, as nohup does.
int fermata_signal_is_ignored(int signal);

#endif
