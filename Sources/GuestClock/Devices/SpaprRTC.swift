/// The clock that pseries firmware offers its guest (RTAS): a distance from the device clock in nanoseconds.
struct SpaprRTC: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1
    private static let field = "ns_offset"
    private let offset: Int128

    init(_ image: DeviceImage) throws(ClockError) {
        self.image = image
        offset = try image.signed(Self.field)
    }

    func time(at moment: Moment) -> Int128? {
        moment.device.map { $0 + offset }
    }

    func moved(by move: ClockMove) throws(ClockError) -> Self {
        let clock = try deviceClock(move)
        let wanted = try wanted(move, in: 0..<Int128(Int64.max), field: Self.field)
        var moved = image
        try moved.setSigned(Self.field, to: wanted - clock.after)
        return try Self(moved)
    }
}
