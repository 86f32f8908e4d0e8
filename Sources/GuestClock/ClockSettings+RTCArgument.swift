import Time

extension ClockSettings {
    /// The argument of `-rtc` for a process with these settings, e.g. `base=2024-02-29T12:00:00,clock=vm`.
    public var rtcArgument: String { "base=\(base.argument),clock=\(clock.rawValue)" }

}

extension RTCBase {
    /// The value of `base=`; QEMU takes whole seconds.
    public var argument: String {
        switch self {
        case .utc: "utc"
        case .localtime: "localtime"
        case .instant(let instant): CivilTime(secondsSinceEpoch: instant.wholeSeconds).text
        }
    }
}
