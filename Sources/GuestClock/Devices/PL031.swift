import Time

/// ARM's PrimeCell clock: whole seconds in a register of 32 bits.
///
/// Its time is `tick_offset` plus the device clock's seconds. Old machine types save it relative to the virtual clock instead,
/// and QEMU converts on saving and on loading.
struct PL031: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    private static let current = "pl031/tick-offset.tick_offset"
    private static let old = "tick_offset_vmstate"
    private static let span: Int128 = 1 << 32
    private let offset: Int128?
    private let oldOffset: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        offset = image.has(Self.current) ? try image.unsigned(Self.current) : nil
        oldOffset = try image.unsigned(Self.old)
    }

    func time(at moment: Moment) -> Int128? {
        if let offset, let device = moment.device {
            return (offset * .second + device).modulo(Self.span * .second)
        }
        guard let virtual = moment.virtual else { return nil }
        guard let device = moment.device, let distance = distance(at: moment) else {
            // By which clock it runs is not known, but what it read when it was saved is.
            return (oldOffset * .second + virtual).modulo(Self.span * .second)
        }
        return ((oldOffset - distance) * .second + device).modulo(Self.span * .second)
    }

    func reading(at moment: Moment) -> ClockReading {
        let now = time(at: moment)
        var alarms: [Int128] = []
        // `im` lets the alarm through, `mr` is its second.
        if let now, let match = try? image.unsigned("mr"), let mask = try? image.unsigned("im"), mask & 1 == 1,
            match * .second > now
        {
            alarms = [match * .second]
        }
        return reading(of: now, alarms: alarms, problem: moment.device == nil ? unknownClock : nil)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        let wanted = try wanted(move, in: 0..<Self.span * .second, field: offset == nil ? Self.old : Self.current)
        let newOffset = wanted.wholeSeconds - clock.after.wholeSeconds
        var moved = image
        if let offset {
            try moved.setWrapped(Self.current, to: newOffset)
            // Unused while the newer field is there; kept in step for a QEMU that does not know that one.
            try moved.setWrapped(Self.old, to: oldOffset + newOffset - offset)
        } else {
            guard let distance = distance(at: move.after) else { throw uncontrollable }
            try moved.setWrapped(Self.old, to: newOffset + distance)
        }
        return try Self(moved)
    }

    /// Seconds from the virtual clock to the device clock, as QEMU reckons them when it saves or loads.
    private func distance(at moment: Moment) -> Int128? {
        guard let device = moment.deviceAtTransfer, let virtual = moment.virtual else { return nil }
        return (device - virtual) / .second
    }
}
