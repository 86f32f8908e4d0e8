import Time

extension ClockDevice {
    /// What the user should know of this clock before it makes the move.
    ///
    /// - Parameter origin: settings of the process that saved it.
    func notes(on move: ClockMove, origin: ClockSettings) -> [String] {
        var notes: [String] = []
        switch self {
        case let clock as BaseOnlyClock:
            notes.append("\(label) follows -rtc base= alone: what the guest itself set it to is lost")
            if let now = clock.time(at: move.before), let then = clock.time(at: move.after) {
                let error = then.wholeSeconds - move.wanted(now).wholeSeconds
                if error != 0 { notes.append("\(label) will be off by \(error) s: its launch was for another instant") }
            }
        case is TimedateClock where origin.baseIsUncertain:
            notes.append("\(label) counts from the second in which its QEMU started, which is known to within 1 s")
        case is ZynqMPRTC where origin.clock == .host, is Goldfish where origin.clock == .host && image.version < 3:
            notes.append("\(label) runs on from when it is loaded: it is off by as much as that differs from the plan")
        case is TODClock where move.time(of: self) ?? 0 < 0:
            notes.append("\(label) goes back, and with it the guest's clocksource: what waits, waits longer")
        case let clock as KVMClock where move.shift != 0 && !clock.isReliable:
            notes.append("\(label) will be reckoned anew by QEMU, from the processors' counters, which are moved")
        default: break
        }
        return notes
    }
}

extension ClockMove {
    /// How far the clock goes beyond what it read when the machine stopped.
    func time(of device: some ClockDevice) -> Int128? {
        device.time(at: before).map { wanted($0) - $0 }
    }
}

extension ClockSettings {
    /// Whether the time that clocks derive from `base` depends on the very second in which the process started.
    var baseIsUncertain: Bool {
        switch (clock, base) {
        case (.vm, .utc), (.vm, .localtime), (.host, .instant): true
        default: false
        }
    }
}
