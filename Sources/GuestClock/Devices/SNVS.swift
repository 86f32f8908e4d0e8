import Time

/// The secure clock of i.MX: 47 bits at 32 768 Hz.
struct SNVS: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    /// 1 s / 32 768, rounded down.
    let resolution: Int64 = 30_517
    /// Its step is no whole number of nanoseconds.
    let granularity: Int64 = 1
    private static let field = "tick_offset"
    private static let hertz: Int128 = 32_768
    private static let span: Int128 = 1 << 47
    private let offset: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        offset = try image.unsigned(Self.field)
    }

    func time(at moment: Moment) -> Int128? {
        count(at: moment).map { $0 * .second / Self.hertz }
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        guard let now = count(at: move.before) else { throw uncontrollable }
        var target = now
        if move.policy != .continue {
            let wanted = try wanted(move, in: 0..<Self.span * .second / Self.hertz, field: Self.field)
            target = wanted * Self.hertz / .second
        }
        // A difference, since the bits above the 47 are the guest's own business.
        let change = target - now + Self.ticks(clock.before) - Self.ticks(clock.after)
        var moved = image
        try moved.setWrapped(Self.field, to: offset + change)
        return try Self(moved)
    }

    private func count(at moment: Moment) -> Int128? {
        moment.device.map { (offset + Self.ticks($0)).modulo(Self.span) }
    }

    private static func ticks(_ nanoseconds: Int128) -> Int128 { (nanoseconds * hertz).floorDivided(by: .second) }
}
