/// A clock that is there, and of which this program knows no more than its name.
struct UncontrolledClock: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    let reason: String

    func time(at moment: Moment) -> Int128? { nil }

    func reading(at moment: Moment) -> ClockReading { reading(of: nil, problem: reason) }

    func moved(by move: ClockMove) throws(ClockError) -> Self { self }
}
