/// The generic timer's virtual counter of one ARM processor under KVM, found among the registers that KVM lists.
struct ARMCounter: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.counter
    let resolution: Int64 = 1
    static let indexes = "cpreg_vmstate_indexes"
    private static let values = "cpreg_vmstate_values"
    /// KVM_REG_ARM_TIMER_CNT of Linux' KVM interface.
    private static let register: Int128 = 0x6030_0000_0013_df1a
    private let entry: Int
    private let ticks: Int128
    private let hertz: Int128?

    /// nil when the list has no such register.
    /// - Parameter hostHertz: of the host's counter, which is the guest's.
    init?(_ image: DeviceImage, hostHertz: Int64?) throws(ClockError) {
        let indexes = try image.bytes(Self.indexes)
        guard let entry = Self.entry(in: indexes) else { return nil }
        self.image = image
        self.entry = entry
        guard let values = image.range(of: Self.values), values.count >= (entry + 1) * 8 else {
            throw image.missing(Self.values)
        }
        let range = values.lowerBound + entry * 8..<values.lowerBound + entry * 8 + 8
        ticks = image.payload[range].reduce(0) { $0 << 8 | Int128($1) }
        hertz = hostHertz.flatMap { $0 > 0 ? Int128($0) : nil }
    }

    private init(_ image: DeviceImage, entry: Int, ticks: Int128, hertz: Int128) {
        self.image = image
        self.entry = entry
        self.ticks = ticks
        self.hertz = hertz
    }

    func time(at moment: Moment) -> Int128? {
        hertz.map { ticks * .second / $0 }
    }

    func reading(at moment: Moment) -> ClockReading {
        reading(of: time(at: moment), problem: hertz == nil ? Self.unknownFrequency : nil)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard move.shift != 0, let values = image.range(of: Self.values) else { return self }
        guard let hertz else {
            throw .cannotMove(device: image.device, section: image.section, reason: Self.unknownFrequency)
        }
        let target = ticks + move.shift * hertz / .second
        guard target < 1 << 64 else { throw image.outOfRange(Self.values) }
        var moved = image
        let start = values.lowerBound + entry * 8
        moved.replace(start..<start + 8, with: (0..<8).reversed().map { UInt8(truncatingIfNeeded: target >> ($0 * 8)) })
        return Self(moved, entry: entry, ticks: target, hertz: hertz)
    }

    private static func entry(in indexes: [UInt8]) -> Int? {
        (0..<indexes.count / 8).first { entry in
            indexes[entry * 8..<entry * 8 + 8].reduce(0) { $0 << 8 | Int128($1) } == register
        }
    }

    private static let unknownFrequency = "the launch does not tell how fast the host's counter counts"
}
