/// QEMU's virtual clock, by which timers, and in TCG most counters, run: section `timer`.
struct VirtualClock: ClockDevice {
    /// What the processors count by.
    enum Counting: Hashable, Sendable {
        case time
        /// `-icount`: 2^shift ns an instruction; nil when it is not known.
        case instructions(shift: Int?)
    }

    let image: DeviceImage
    let kind = ClockReading.Kind.virtual
    let resolution: Int64 = 1
    let counting: Counting
    private static let offset = "cpu_clock_offset"
    private static let ticks = "cpu_ticks_offset"
    private static let bias = "timer/icount.qemu_icount_bias"
    private static let icount = "timer/icount.qemu_icount"
    /// Of `-icount shift=auto`, where it changes as the machine runs.
    private static let shift = "timer/icount/shift.icount_time_shift"
    /// Ticks of the TSC a second; nil for a machine whose counters follow the virtual clock anyway.
    private let tsc: TSC?

    enum TSC: Hashable, Sendable {
        case hertz(Int128)
        case unknown
    }

    /// - Parameters:
    ///   - icountShift: of the launch, for a machine that counts instructions.
    ///   - tsc: of a TCG guest with x86 processors, whose TSC is the host's and has to move along.
    init(_ image: DeviceImage, icountShift: Int?, tsc: TSC?) throws(ClockError) {
        self.image = image
        self.tsc = tsc
        _ = try image.signed(Self.offset)
        if image.has(Self.bias) {
            let saved = image.has(Self.shift) ? Int(exactly: try image.signed(Self.shift)) : nil
            let shift = saved ?? icountShift
            // QEMU allows up to 10; a damaged stream may say anything.
            counting = .instructions(shift: shift.flatMap { (0...10).contains($0) ? $0 : nil })
        } else {
            counting = .time
        }
    }

    private init(_ image: DeviceImage, counting: Counting, tsc: TSC?) {
        self.image = image
        self.counting = counting
        self.tsc = tsc
    }

    var time: Int128? {
        switch counting {
        case .time:
            return try? image.signed(Self.offset)
        case .instructions(let shift?):
            guard let bias = try? image.signed(Self.bias), let count = try? image.signed(Self.icount) else {
                return nil
            }
            return bias + count << shift
        case .instructions(nil):
            return nil
        }
    }

    func time(at moment: Moment) -> Int128? { time }

    func reading(at moment: Moment) -> ClockReading {
        reading(of: time, problem: time == nil ? "it counts instructions, of an unknown length each" : nil)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard move.shift != 0 else { return self }
        var moved = image
        switch counting {
        case .time:
            try moved.setSigned(Self.offset, to: image.signed(Self.offset) + move.shift)
        case .instructions:
            try moved.setSigned(Self.bias, to: image.signed(Self.bias) + move.shift)
            return Self(moved, counting: counting, tsc: tsc)
        }
        switch tsc {
        case nil: break
        case .hertz(let hertz):
            try moved.setWrapped(Self.ticks, to: image.signed(Self.ticks) + move.shift * hertz / .second)
        case .unknown:
            throw .cannotMove(
                device: image.device,
                section: image.section,
                reason: "the guest's TSC has to move along, and its frequency, the host's, is not known"
            )
        }
        return Self(moved, counting: counting, tsc: tsc)
    }
}
