import Glibc
import Time

/// A point on CLOCK_MONOTONIC: timeouts must not move when somebody sets the host's clock.
struct MonotonicDeadline: Sendable {
    private let nanoseconds: Int64

    init(after span: Span) { nanoseconds = Self.now().addingSaturated(span.nanoseconds) }

    var hasPassed: Bool { Self.now() >= nanoseconds }

    var remaining: Span { Span(nanoseconds: max(0, nanoseconds.subtractingSaturated(Self.now()))) }

    /// For poll(2), rounded up so that it does not spin through the last millisecond.
    var pollMilliseconds: Int32 {
        Int32(clamping: remaining.nanoseconds / 1_000_000 + (remaining.nanoseconds % 1_000_000 == 0 ? 0 : 1))
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
