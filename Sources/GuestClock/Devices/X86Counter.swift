/// The TSC of one x86 processor under KVM.
struct X86Counter: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.counter
    let resolution: Int64 = 1
    static let field = "env.tsc"
    private static let kilohertz = "cpu/tsc_khz.env.tsc_khz"
    private let ticks: Int128
    private let hertz: Int128?

    /// - Parameter hostHertz: of the host's TSC, which is the guest's unless the stream says otherwise.
    init(_ image: DeviceImage, hostHertz: Int64?) throws(ClockError) {
        self.image = image
        ticks = try image.unsigned(Self.field)
        let saved = image.has(Self.kilohertz) ? try image.signed(Self.kilohertz) * 1_000 : 0
        hertz = saved > 0 ? saved : hostHertz.flatMap { $0 > 0 ? Int128($0) : nil }
    }

    private init(_ image: DeviceImage, ticks: Int128, hertz: Int128) {
        self.image = image
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
        guard move.shift != 0 else { return self }
        guard let hertz else {
            throw .cannotMove(device: image.device, section: image.section, reason: Self.unknownFrequency)
        }
        let target = ticks + move.shift * hertz / .second
        var moved = image
        try moved.setUnsigned(Self.field, to: target)
        return Self(moved, ticks: target, hertz: hertz)
    }

    private static let unknownFrequency = "neither the checkpoint nor the launch tells how fast its TSC counts"
}
