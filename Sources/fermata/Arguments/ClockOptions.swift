import ArgumentParser
import GuestClock

/// `--clock` and `--clock-scope`: what the guests' clocks shall read.
struct ClockOptions: ParsableArguments {
    // Unconditional: '-5m' is a value here, not an option.
    @Option(
        name: .customLong("clock"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "continue (go on with the time they had), host (the host's time), +90s or -5m (shifted by that), at=<ISO 8601>.",
            valueName: "policy"
        ),
        transform: { try ClockOptions.policy($0) }
    )
    var policy: ClockPolicy?

    @Option(
        name: .customLong("clock-scope"),
        help: ArgumentHelp(
            "Which clocks --clock moves: rtc (real-time clock devices), all (also uptime and timers; forward only).",
            valueName: "rtc|all"
        ),
        completion: .list(["rtc", "all"]),
        transform: { try ClockOptions.scope($0) }
    )
    var scope: ClockScope?

    private static func scope(_ text: String) throws -> ClockScope {
        guard let scope = ClockScope(rawValue: text) else {
            throw ValidationError("'\(text)' is no scope of a clock policy: write rtc or all")
        }
        return scope
    }

    private static func policy(_ text: String) throws -> ClockPolicy {
        do {
            return try ClockPolicy(text: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
