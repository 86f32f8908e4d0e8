import Time

/// The CMOS clock of PCs and of many boards that borrow it.
///
/// Its time is `base_rtc` seconds at `last_update` on the device clock, and runs on with that. While the guest holds it (SET
/// bit, or divider in reset) the date registers are the time.
struct MC146818: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    /// Its second begins at an instant of its own, which the guest can see and which is kept.
    let granularity: Int64 = 1
    private let registers: CMOSRegisters
    private let base: Int128
    private let lastUpdate: Int128
    private let offset: Int128
    /// When the device next looks at its time, on the device clock; -1: not at all.
    private let updateTimer: Int128
    private let nextAlarm: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        guard let registers = CMOSRegisters(try image.bytes("cmos_data")) else { throw image.missing("cmos_data") }
        self.registers = registers
        base = try image.unsigned("base_rtc")
        lastUpdate = try image.unsigned("last_update")
        offset = try image.signed("offset")
        updateTimer = try image.signed("update_timer")
        nextAlarm = try image.signed("next_alarm_time")
    }

    func time(at moment: Moment) -> Int128? {
        if registers.held { return registers.time }
        // Not known by which clock it runs: the registers hold its whole seconds when it was saved.
        guard let device = moment.device else { return registers.time }
        return (base * .second + device - lastUpdate + offset).wrapped64
    }

    func reading(at moment: Moment) -> ClockReading {
        var alarms: [Int128] = []
        if registers.alarmEnabled, let device = moment.device, let now = time(at: moment), nextAlarm >= device,
            nextAlarm < Int128(Int64.max)
        {
            // An alarm is set to a second; QEMU reads its clocks one after the other as it reckons when that begins.
            alarms = [(now + nextAlarm - device + .second / 2).wholeSeconds * .second]
        }
        let held = registers.held && registers.time == nil
        return reading(
            of: time(at: moment),
            alarms: alarms,
            problem: held
                ? "the guest is just setting it: its registers hold no valid date"
                : moment.device == nil ? unknownClock : nil
        )
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        var moved = image
        let advance = clock.after - clock.before
        if try image.signed("periodic_timer") != -1 {
            try moved.setSigned("periodic_timer", to: image.signed("periodic_timer") + advance)
        }
        if try image.signed("next_periodic_time") != 0 {
            try moved.setSigned("next_periodic_time", to: image.signed("next_periodic_time") + advance)
        }
        if registers.held {
            try setHeld(&moved, move: move, advance: advance)
            return try Self(moved)
        }
        let wanted = try wanted(move, in: 0..<Int128(Int64.max), field: "last_update")
        // What is to be added to what the clock would read if nothing were changed.
        let unchanged = (base * .second + clock.after - lastUpdate + offset).wrapped64
        let shift = wanted - unchanged
        // QEMU reckons with it modulo 2^64: with a device clock that began at 0 it may well be "negative".
        try moved.setWrapped("last_update", to: lastUpdate - shift)
        if updateTimer != -1 {
            let shifted = updateTimer - shift
            // The guest's next full second: there QEMU brings all its timers up to date by itself. Only a clock that goes on
            // as it was keeps its own instant.
            let nextSecond = clock.after + .second - wanted.modulo(.second)
            // An alarm that is jumped over is seen to at once, before the guest can make QEMU reckon the next one.
            let isJumped = nextAlarm > clock.before && nextAlarm - shift <= clock.after
            let next = isJumped ? clock.after : nextSecond
            try moved.setSigned("update_timer", to: move.policy == .continue ? shifted : next)
        }
        if nextAlarm != Int128(Int64.max) {
            // Below zero QEMU would take it for the far future; an alarm that is jumped over goes off at once.
            try moved.setSigned("next_alarm_time", to: min(max(0, nextAlarm - shift), Int128(Int64.max)))
        }
        return try Self(moved)
    }

    private func setHeld(_ moved: inout DeviceImage, move: ClockMove, advance: Int128) throws(ClockError) {
        try moved.setWrapped("last_update", to: lastUpdate + advance)
        if updateTimer != -1 { try moved.setSigned("update_timer", to: max(0, updateTimer + advance)) }
        if nextAlarm != Int128(Int64.max) { try moved.setSigned("next_alarm_time", to: max(0, nextAlarm + advance)) }
        guard move.policy != .continue, registers.time != nil, let range = moved.range(of: "cmos_data") else { return }
        let wanted = try wanted(move, in: 0..<Int128(Int64.max), field: "cmos_data")
        guard let seconds = Int64(exactly: wanted.wholeSeconds) else { throw image.outOfRange("cmos_data") }
        moved.replace(range, with: registers.setting(CivilTime(secondsSinceEpoch: seconds)))
    }
}
