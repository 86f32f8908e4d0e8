import Time

extension ClockSettings {
    /// The argument of `-rtc` for a process with these settings, e.g. `base=2024-02-29T12:00:00,clock=vm`.
    public var rtcArgument: String { "base=\(baseText),clock=\(clock.rawValue)" }

    /// The value of `base=`.
    var baseText: String {
        switch base {
        case .utc: "utc"
        case .localtime: "localtime"
        case .instant(let instant):
            CivilTime(unixSeconds: instant.nanosecondsSinceEpoch.floorDivided(by: 1_000_000_000)).text
        }
    }
}
