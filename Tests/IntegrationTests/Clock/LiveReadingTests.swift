import GuestClock
import MigrationStream
import QMP
import Testing
import Time

/// Clocks of a running machine, read from a dump of its devices, which pauses it for some milliseconds.
@Suite("Clocks of running machines")
struct LiveReadingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var board: ClockBoard
        var release: QEMUUnderTest
        var clock: RTCClockSource

        var testDescription: String { "\(board.device) on \(board.name), QEMU \(release), clock=\(clock.rawValue)" }
    }

    static let rows = [
        "pc", "virt (arm)", "virt (riscv64)", "virt (m68k)", "pseries", "ast2600-evb", "imx25-pdk with ds1338",
        "imx25-pdk with rs5c372", "virt (loongarch64)", "mcimx7d-sabre", "SS-5",
    ].flatMap { name in
        QEMUUnderTest.all.flatMap { release in
            [RTCClockSource.vm, .host].map { Row(board: .with(named: name) { _ in }, release: release, clock: $0) }
        }
    }

    @Test("A dump tells what the guest reads, and the machine runs on as before", arguments: rows)
    func dump(row: Row) async throws {
        guard let binary = try await ClockBench.shared.binary(for: row.board, release: row.release) else { return }
        try await ClockLanes.shared.run {
            let folder = try TemporaryFolder()
            let base = row.clock == .vm ? "2024-02-29T12:00:00" : "utc"
            let arguments =
                try row.board.launchArguments(row.release, folder: folder)
                + ["-rtc", "base=\(base),clock=\(row.clock.rawValue)"]
            let qemu = try await QtestMachine.launch(binary: binary, arguments: arguments)
            let settings = try ClockSettings(
                arguments: arguments,
                processStart: qemu.startedAfter,
                qemu: QEMURelease(major: row.release.major, minor: row.release.minor)
            )
            try row.board.prepare(qemu.qtest)
            try await Task.sleep(for: .milliseconds(300))
            let events = qemu.monitor.events()
            let before = try GuestReading { try row.board.read(qemu.qtest) }
            try await qemu.monitor.xenSaveDevicesState(filename: folder.file("dump"), live: false)
            let after = try GuestReading { try row.board.read(qemu.qtest) }
            let stop = await events.first(within: .seconds(20)) { $0.name == "STOP" }
            let stoppedAt = try #require(stop?.timestamp)
            let source = try FileSource(path: folder.file("dump"))
            let clocks = try GuestClocks(
                stream: CheckpointStream(deviceDump: source, layouts: GuestClocks.dumpLayouts),
                source: source,
                settings: settings,
                stoppedAt: stoppedAt
            )
            let reads = try #require(clocks.state.readings.first { $0.device == row.board.device }?.readsNs)
            #expect(before.ns - row.board.resolution < reads && reads <= after.ns + row.board.resolution)
            #expect(after.ns >= before.ns)
            // It did not lose or gain more than it was paused for.
            let passed = after.ns - before.ns
            #expect(passed <= (after.to - before.from).nanoseconds + row.board.resolution)
            await qemu.quit()
        }
    }

    @Test(
        "On a ZynqMP the dump itself sets the running machine's clock wrong, as is said",
        arguments: QEMUUnderTest.all
    )
    func zynqMP(release: QEMUUnderTest) async throws {
        let board = ClockBoard.with(named: "xlnx-zcu102") { _ in }
        #expect(GuestClocks.disturbance(bySaving: board.machine(release)) != nil)
        guard let binary = try await ClockBench.shared.binary(for: board, release: release) else { return }
        try await ClockLanes.shared.run {
            let folder = try TemporaryFolder()
            let qemu = try await QtestMachine.launch(
                binary: binary,
                arguments: try board.launchArguments(release, folder: folder) + ["-rtc", "base=utc,clock=host"]
            )
            let before = try board.read(qemu.qtest)
            try await qemu.monitor.xenSaveDevicesState(filename: folder.file("dump"), live: false)
            let after = try board.read(qemu.qtest)
            #expect(after - before > 1_000_000_000_000_000, "this QEMU does not do that any more: the warning can go")
            await qemu.quit()
        }
    }
}
