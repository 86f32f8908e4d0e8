import Time

/// From the instant at which a machine stopped to the one at which it goes on.
struct ClockMove: Sendable {
    var policy: ClockPolicy
    var before: Moment
    var after: Moment
    /// By how much the clocksource goes forward, nanoseconds.
    var shift: Int128
    /// Seconds by which the guest's real-time clocks are ahead of UTC on purpose.
    var zoneSeconds: Int128

    /// What a clock shall read when the machine goes on.
    ///
    /// - Parameter now: what it read when the machine stopped, nanoseconds since the epoch.
    func wanted(_ now: Int128) -> Int128 {
        switch policy {
        case .continue: now
        case .offset(let span): now + Int128(span.nanoseconds)
        case .host: (after.host ?? now) + zoneSeconds * .second
        case .at(let instant): Int128(instant.nanosecondsSinceEpoch)
        }
    }
}
