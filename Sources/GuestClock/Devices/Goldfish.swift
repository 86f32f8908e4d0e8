/// Android's goldfish clock, found on the virt boards of RISC-V, m68k and others: nanoseconds in 64 bits.
///
/// Version 3 saves the distance from the device clock, version 2 that from the virtual clock, which QEMU converts on saving
/// and on loading.
struct Goldfish: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1
    private static let versionWithOffset: UInt32 = 3
    private let field: String
    private let offset: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        field = image.version >= Self.versionWithOffset ? "tick_offset" : "tick_offset_vmstate"
        offset = try image.unsigned(field)
    }

    func time(at moment: Moment) -> Int128? {
        reference(at: moment).map { (offset + $0).wrapped64 }
    }

    func reading(at moment: Moment) -> ClockReading {
        var alarms: [Int128] = []
        if let running = try? image.unsigned("alarm_running"), running != 0,
            let next = try? image.unsigned("alarm_next")
        {
            alarms = [next]
        }
        let problem = moment.device == nil ? unknownClock : nil
        return reading(of: time(at: moment), alarms: alarms, problem: problem)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        guard move.after.device != nil, let reference = reference(at: move.after) else { throw uncontrollable }
        let wanted = try wanted(move, in: 0..<Int128(Int64.max), field: field)
        var moved = image
        try moved.setWrapped(field, to: wanted - reference)
        return try Self(moved)
    }

    /// What the saved offset is relative to.
    private func reference(at moment: Moment) -> Int128? {
        guard image.version < Self.versionWithOffset else { return moment.device }
        guard let virtual = moment.virtual else { return nil }
        guard let device = moment.device, let transfer = moment.deviceAtTransfer else { return virtual }
        return virtual + device - transfer
    }
}
