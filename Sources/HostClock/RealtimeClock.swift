public import Time

/// Where a host's time comes from: ``SystemClock``, or in tests a clock that is moved by hand.
public protocol RealtimeClock: Sendable {
    func now() -> HostInstant
}
