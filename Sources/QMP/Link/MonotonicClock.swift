import Glibc
import Time

/// Time for limits: it does not jump when somebody sets the host's clock.
enum MonotonicClock {
    /// Nanoseconds since some point in the past.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    static func due(in limit: Span) -> Int64 {
        now.addingSaturated(max(limit.nanoseconds, 0))
    }
}
