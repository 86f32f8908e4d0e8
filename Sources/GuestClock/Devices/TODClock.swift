import Time

/// The time-of-day clock of s390x: 72 bits, 4096 units a microsecond, from 1900 on. It is the guest's only clock, both RTC and
/// clocksource, and stands still with the machine.
struct TODClock: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.tod
    let resolution: Int64 = 1
    private static let size = 10
    /// 1900-01-01 to 1970-01-01.
    private static let epochNs: Int128 = 2_208_988_800 * .second
    private static let span: Int128 = 1 << 72
    private let units: Int128?

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        guard image.payload.count == Self.size else { throw image.missing("data") }
        // A first byte of 0 says that the host's processor could not tell the time.
        units = image.payload[0] == 0 ? nil : image.payload[1...].reduce(0) { $0 << 8 | Int128($1) }
    }

    func time(at moment: Moment) -> Int128? {
        units.map { $0 * 125 / 512 - Self.epochNs }
    }

    func reading(at moment: Moment) -> ClockReading {
        reading(of: time(at: moment), problem: units == nil ? Self.absent : nil)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard let units else {
            throw .cannotMove(device: image.device, section: image.section, reason: Self.absent)
        }
        let now = units * 125 / 512 - Self.epochNs
        let wanted = move.wanted(now)
        // Rounded up: a unit is less than a nanosecond, and reading rounds down.
        let target = wanted == now ? units : -(-(wanted + Self.epochNs) * 512).floorDivided(by: 125)
        guard target >= 0, target < Self.span else { throw image.outOfRange("data") }
        var moved = image
        let bytes = (0..<Self.size - 1).reversed().map { UInt8(truncatingIfNeeded: target >> ($0 * 8)) }
        moved.replace(1..<Self.size, with: bytes)
        return try Self(moved)
    }

    private static let absent = "the checkpoint was written where the clock could not be read"
}
