import Glibc

/// Work that nobody waits for.
enum Background {
    /// Lets everything else go first on this thread's processor; not to be called on a thread that others use.
    static func yieldProcessor() {
        // On Linux nice(2) is of the calling thread alone.
        _ = nice(10)
    }
}
