import Time

/// The second clock of LoongArch's `ls7a_rtc`: a counter of 32 bits at 32 768 Hz that the guest sets as it likes. Its first, the
/// calendar, is a ``TimedateClock``; the counter moves with it.
struct LS7ACounter: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.counter
    /// 1 s / 32 768, rounded down.
    let resolution: Int64 = 30_517
    /// Its step is no whole number of nanoseconds.
    let granularity: Int64 = 1
    private static let field = "offset_rtc"
    private static let hertz: Int128 = 32_768
    private static let span: Int128 = 1 << 32
    private let offset: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        offset = try image.signed(Self.field)
    }

    func time(at moment: Moment) -> Int128? {
        moment.device.map { (offset + Self.ticks($0)).modulo(Self.span) * .second / Self.hertz }
    }

    /// Goes on from what it read; with it the guest measures, it does not tell the time.
    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        let passed = move.shift * Self.hertz / .second
        var moved = image
        try moved.setWrapped(
            Self.field,
            to: offset + Self.ticks(clock.before) - Self.ticks(clock.after) + passed
        )
        return try Self(moved)
    }

    /// As QEMU reckons: the product overflows 64 bits, so with `clock=host` the counter jumps every 6.5 days.
    private static func ticks(_ nanoseconds: Int128) -> Int128 {
        (nanoseconds * hertz).wrapped64 / .second
    }
}
