import Time

/// The clock of Xilinx' ZynqMP and Versal: whole seconds in 32 bits.
///
/// The field holds the guest's seconds when it was saved: QEMU adds the device clock's seconds on saving and takes them off on
/// loading.
struct ZynqMPRTC: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    private static let field = "tick_offset"
    private static let span: Int128 = 1 << 32
    private let saved: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        saved = try image.unsigned(Self.field)
    }

    func time(at moment: Moment) -> Int128? {
        guard let device = moment.device, let transfer = moment.deviceAtTransfer else { return saved * .second }
        return ((saved - transfer.wholeSeconds) * .second + device).modulo(Self.span * .second)
    }

    func reading(at moment: Moment) -> ClockReading {
        reading(of: time(at: moment), problem: moment.device == nil ? unknownClock : nil)
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        guard let loading = move.after.deviceAtTransfer else { throw uncontrollable }
        let wanted = try wanted(move, in: 0..<Self.span * .second, field: Self.field)
        var moved = image
        try moved.setWrapped(
            Self.field,
            to: wanted.wholeSeconds - clock.after.wholeSeconds + loading.wholeSeconds
        )
        return try Self(moved)
    }
}
