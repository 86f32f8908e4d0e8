public import FoundationEssentials

/// What guests' clocks read when machines go on. Can be written as on the command line: `"+1h"`, `"at=2026-12-31T23:59:50Z"`.
public struct ClockPolicy: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Which clocks a policy moves.
    public enum Scope: String, Hashable, Sendable {
        /// Real-time clock devices.
        case rtc
        /// Also uptime and timers; forward only.
        case all
    }

    /// As `--clock` has it. What is wrong with it is told when it is used.
    public let description: String

    /// - Parameter text: `continue`, `host`, `+90s`, `-5m`, `at=2026-12-31T23:59:50Z`.
    public init(_ text: String) { description = text }

    public init(stringLiteral text: String) { self.init(text) }

    /// The time that they had.
    public static let `continue` = ClockPolicy("continue")

    /// The host's.
    public static let host = ClockPolicy("host")

    /// That much later than the time that they had, or, negative, earlier.
    public static func offset(_ offset: Duration) -> ClockPolicy {
        ClockPolicy(offset < .zero ? "-\(TimeText.span(.zero - offset))" : "+\(TimeText.span(offset))")
    }

    /// That time.
    public static func at(_ time: Date) -> ClockPolicy { ClockPolicy("at=\(TimeText.instant(time))") }
}
