/// The clocks whose time is not in the stream at all: `m48t59` and `m41t80` show QEMU's `-rtc base=`, and nothing else moves
/// them.
struct BaseOnlyClock: ClockDevice {
    let image: DeviceImage
    let kind = ClockReading.Kind.rtc
    let resolution: Int64 = 1_000_000_000
    /// Seconds by which it shows more than that time.
    let distance: Int128

    init(_ image: DeviceImage, distance: Int128 = 0) {
        self.image = image
        self.distance = distance
    }

    func time(at moment: Moment) -> Int128? {
        moment.timedate.map { $0 + distance * .second }
    }

    /// Unchanged: the launch moves it, see ``GuestClocks/launchSettings(policy:scope:resumeAt:processStart:qemu:)``.
    func moved(by move: ClockMove) throws(ClockError) -> Self { self }
}
