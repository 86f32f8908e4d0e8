import Time

/// The clocks that read whole seconds from QEMU's `-rtc base=` and keep only their distance from it: `aspeed.rtc`, `ds1338`,
/// `rs5c372` and the calendar of `ls7a_rtc`.
struct TimedateClock: ClockDevice {
    /// In what the kinds differ.
    struct Model: Sendable {
        /// Fields that all hold the distance in seconds.
        var offsets: [String]
        /// Times that the registers can show, nanoseconds since the epoch.
        var range: Range<Int128>
        /// A register, and the bits of it that are all set when the guest has switched the clock on.
        var enable: (field: String, bits: Int128)?
    }

    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    private let model: Model
    private let offset: Int128
    private let enabled: Bool

    init(_ image: DeviceImage, model: Model) throws(ClockError) {
        self.image = image
        self.model = model
        guard let field = model.offsets.first else { throw image.missing("offset") }
        offset = try image.signed(field)
        if let enable = model.enable {
            enabled = try image.unsigned(enable.field) & enable.bits == enable.bits
        } else {
            enabled = true
        }
    }

    func time(at moment: Moment) -> Int128? {
        moment.timedate.map { $0 + offset * .second }
    }

    func reading(at moment: Moment) -> ClockReading {
        var reading = reading(of: time(at: moment))
        if !enabled {
            reading.readsNs = nil
            reading.reason = "the guest has not switched it on"
        }
        return reading
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard let base = move.after.timedate else { throw uncontrollable }
        var moved = image
        let wanted = try wanted(move, in: model.range, field: model.offsets[0])
        for field in model.offsets {
            try moved.setSigned(field, to: wanted.wholeSeconds - base.wholeSeconds)
        }
        return try Self(moved, model: model)
    }
}

extension TimedateClock.Model {
    private static let anyTime: Range<Int128> = 0..<Int128(Int64.max)
    /// 2000-01-01 to the end of 2099: two digits of year.
    private static let twoDigitYears: Range<Int128> = 946_684_800 * .second..<4_102_444_800 * .second

    /// Bit 0 of the control register, the fifth.
    static let aspeed = Self(offsets: ["offset"], range: anyTime, enable: ("reg[4]", 1))
    /// Until QEMU 7.2 the offset was a number of 32 bits, written twice.
    static let aspeedVersion1 = Self(offsets: ["offset[0]", "offset[1]"], range: anyTime, enable: ("reg[4]", 1))
    static let ds1338 = Self(offsets: ["offset"], range: twoDigitYears)
    static let rs5c372 = Self(offsets: ["offset"], range: twoDigitYears)
    /// TOYEN and EO of the control register.
    static let ls7aCalendar = Self(offsets: ["offset_toy"], range: anyTime, enable: ("cntrctl", 1 << 11 | 1 << 8))
}
