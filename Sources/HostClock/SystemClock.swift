import CShims
public import Time

/// The host's CLOCK_REALTIME.
public struct SystemClock: RealtimeClock {
    public init() {}

    public func now() -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns())
    }
}

extension HostInstant {
    /// What the host's CLOCK_REALTIME reads.
    public static var now: HostInstant { SystemClock().now() }
}
