public import MigrationStream
public import Time

/// How to make a machine's clocks follow a policy: what to tell the new process, and what to change in its stream.
public struct ClockPlan: Sendable {
    /// Changes of bytes of the stream, none overlapping another, in ascending order.
    public let patches: [Patch]
    /// The argument of `-rtc` that the new process has to have.
    public let rtcArgument: String
    /// Set when a clock of the machine follows `-rtc base=`: the base in ``rtcArgument``, e.g. `2024-02-29T12:00:00`.
    public let rtcBase: String?
    /// The settings of the new process, to be recorded for its next suspend.
    public let settings: ClockSettings
    /// What the clocks will read at the resume instant.
    public let expected: ClockState
    /// What the user should know: clocks that cannot be controlled, precision not to be had.
    public let notes: [String]

    /// The clocks, moved.
    let devices: [any ClockDevice]
    let after: Moment

    /// What the clocks read if the machine has really gone on at that instant: those that follow the host's clock have run on
    /// from the instant that was planned, all others stood still until then.
    public func state(resumedAt instant: HostInstant) -> ClockState {
        let actual = after.later(by: Int128((instant - expected.atNs).nanoseconds), settings: settings)
        return ClockState(atNs: instant, readings: devices.map { $0.reading(at: actual) })
    }
}
