import GuestClock
import HypervisorAPI
import Testing
import Time

/// A board of the clock tests as a machine of a simulation, which fermata launches; its guest's registers are read through
/// QEMU's test interface.
struct BoardMachine: Sendable {
    let name: String
    let board: ClockBoard
    let rtc: RTCSpec
    var accelerator = MachineSpec.Accelerator.tcg

    /// Its clock tells the time of `-rtc base=` and an offset of its own.
    static let base = BoardMachine(
        name: "bmc",
        board: .with(named: "ast2600-evb") { _ in },
        rtc: RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_709_208_000_000_000_000), clock: .vm)
    )
    /// Its clock tells the time of `-rtc base=`, and nothing of it is in its state.
    static let baseOnly = BoardMachine(
        name: "sun",
        board: .with(named: "SS-5") { _ in },
        rtc: RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_709_208_000_000_000_000), clock: .vm)
    )
    /// Its clock goes on while the machine does not.
    static let host = BoardMachine(
        name: "desk",
        board: .with(named: "pc") { _ in },
        rtc: RTCSpec(base: nil, clock: .host)
    )
    /// Measures time by KVM's clock page.
    static let kvm = BoardMachine(
        name: "kvm",
        board: .pcKVM,
        rtc: RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_709_208_000_000_000_000), clock: .vm),
        accelerator: .kvm
    )

    /// - Parameter folder: of the lab; the BIOS and the socket are in it.
    func spec(_ release: QEMUUnderTest, _ folder: TemporaryFolder) throws -> MachineSpec {
        guard let qemu = release.binary(board.architecture) else {
            throw TestSupportError("QEMU \(release) has no qemu-system-\(board.architecture)")
        }
        var arguments = try board.launchArguments(release, folder: folder)
        // Of the spec itself.
        for option in ["-M", "-accel"] {
            if let index = arguments.firstIndex(of: option) { arguments.removeSubrange(index...index + 1) }
        }
        return MachineSpec(
            name: name,
            qemu: qemu,
            machineType: board.machine(release),
            accelerator: accelerator,
            rtc: rtc,
            arguments: arguments + ["-qtest", "unix:\(socket(folder)),server=on,wait=off", "-qtest-log", "none"]
        )
    }

    /// As its guest does at its start.
    func prepare(_ folder: TemporaryFolder) throws { try board.prepare(try QtestSocket(path: socket(folder))) }

    func rtc(_ folder: TemporaryFolder) throws -> GuestReading {
        let qtest = try QtestSocket(path: socket(folder))
        return try GuestReading { try board.read(qtest) }
    }

    /// What the guest's code has written since this was called.
    func counter(_ folder: TemporaryFolder) async throws -> GuestReading {
        let qtest = try QtestSocket(path: socket(folder))
        guard let counter = board.counter else { throw TestSupportError("\(board.name) has no counter") }
        let old = try counter(qtest)
        for _ in 0..<5_000 {
            let reading = try GuestReading { try counter(qtest) }
            if reading.ns != old { return reading }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw TestSupportError("the guest of \(name) does not run: its counter stands at \(old)")
    }

    private func socket(_ folder: TemporaryFolder) -> String { folder.file("\(name).qtest") }
}
