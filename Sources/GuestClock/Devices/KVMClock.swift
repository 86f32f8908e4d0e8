/// The clock that KVM keeps for x86 guests: nanoseconds since the machine's start, as the guest reads them from its own memory.
struct KVMClock: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.paravirtual
    let resolution: Int64 = 1
    private static let field = "clock"
    private static let reliable = "kvmclock/clock_is_reliable.clock_is_reliable"
    private let clock: Int128
    /// Otherwise QEMU ignores the field and reckons it anew from the guest's memory and the first processor's TSC.
    let isReliable: Bool

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        clock = try image.unsigned(Self.field)
        isReliable = image.has(Self.reliable) ? try image.unsigned(Self.reliable) != 0 : false
    }

    func time(at moment: Moment) -> Int128? { clock }

    /// Also when QEMU will not look at the field: what it reckons instead moves as far, with the processors' TSC.
    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard move.shift != 0 else { return self }
        guard clock + move.shift <= Int128(Int64.max) else { throw image.outOfRange(Self.field) }
        var moved = image
        try moved.setUnsigned(Self.field, to: clock + move.shift)
        return try Self(moved)
    }
}
