public import Time

/// What became of a volley.
public struct VolleyReport: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// Every shot was tried; see each for its own fate.
        case fired
        /// ``ArmedVolley/cancel()`` came first: nothing was written.
        case cancelled
        /// The host's clock was set while the volley was armed, so that the instant was no longer the agreed one:
        /// nothing was written.
        case clockStepped
        /// The thread got to run this long after the first shot was due, more than the volley tolerated: nothing was
        /// written.
        case missed(by: Span)
    }

    public var deadline: HostInstant
    public var outcome: Outcome
    /// In the order of the volley.
    public var shots: [ShotReport]
    /// The clock was set after the thread had begun to fire (50 µs before the first shot): all left all the same, and
    /// the stamps are not of one clock.
    public var clockSteppedWhileFiring: Bool
    /// What the thread was allowed.
    public var privileges: RealtimePrivileges

    public init(
        deadline: HostInstant,
        outcome: Outcome,
        shots: [ShotReport],
        clockSteppedWhileFiring: Bool = false,
        privileges: RealtimePrivileges
    ) {
        self.deadline = deadline
        self.outcome = outcome
        self.shots = shots
        self.clockSteppedWhileFiring = clockSteppedWhileFiring
        self.privileges = privileges
    }
}
