import Glibc
import JSON
import QMP
import Time

/// A QEMU process of a test's own, with a monitor and the test interface, ended with the last reference to it.
final class QtestMachine: Sendable {
    let monitor: QMPConnection
    let events: QMPEvents
    let qtest: QtestSocket
    /// The host's time before the process was started, and when its monitor answered: it read its options in between.
    let startedAfter: HostInstant
    let startedBefore: HostInstant
    private let process: SpawnedProcess
    private let folder: TemporaryFolder

    private init(
        monitor: QMPConnection,
        qtest: QtestSocket,
        startedAfter: HostInstant,
        startedBefore: HostInstant,
        process: SpawnedProcess,
        folder: TemporaryFolder
    ) {
        self.monitor = monitor
        events = monitor.events()
        self.qtest = qtest
        self.startedAfter = startedAfter
        self.startedBefore = startedBefore
        self.process = process
        self.folder = folder
    }

    /// - Parameter arguments: after `-nodefaults -display none` and the sockets.
    static func launch(binary: String, arguments: [String]) async throws -> QtestMachine {
        let folder = try TemporaryFolder()
        let (qmp, qtest) = (folder.file("qmp"), folder.file("qtest"))
        let log = folder.file("log")
        let common = [
            "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-serial", "none",
            "-qmp", "unix:\(qmp),server=on,wait=off", "-qtest", "unix:\(qtest),server=on,wait=off", "-qtest-log",
            "none",
        ]
        let startedAfter = hostNow()
        let process = try await QtestSpawner.shared.spawn([binary] + common + arguments, log: log)
        let deadline = startedAfter + .seconds(60)
        while true {
            if access(qmp, F_OK) == 0, access(qtest, F_OK) == 0,
                let monitor = try? await QMPConnection.connect(to: .unix(qmp)),
                let socket = try? QtestSocket(path: qtest)
            {
                return QtestMachine(
                    monitor: monitor,
                    qtest: socket,
                    startedAfter: startedAfter,
                    startedBefore: hostNow(),
                    process: process,
                    folder: folder
                )
            }
            guard !process.hasEnded, hostNow() < deadline else {
                throw TestSupportError("\(binary) \(arguments.joined(separator: " ")): \(Self.text(of: log))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Pauses the machine.
    /// - Returns: the host's time before, and QEMU's own stamp, behind the clocks' stop.
    func stop() async throws -> (from: HostInstant, to: HostInstant) {
        let events = monitor.events()
        let before = hostNow()
        try await monitor.stop()
        guard let stamp = await events.first(within: .seconds(20), where: { $0.name == "STOP" })?.timestamp else {
            throw TestSupportError("QEMU did not say when it stopped")
        }
        return (before, stamp)
    }

    /// Lets it run.
    /// - Returns: QEMU's own stamp, just before the clocks run, and the host's time after.
    func cont() async throws -> (from: HostInstant, to: HostInstant) {
        let events = monitor.events()
        try await monitor.cont()
        let after = hostNow()
        guard let stamp = await events.first(within: .seconds(20), where: { $0.name == "RESUME" })?.timestamp else {
            throw TestSupportError("QEMU did not say when it went on")
        }
        return (stamp, after)
    }

    /// Saves the paused machine into a file.
    func save(to path: String) async throws {
        try await transfer { monitor in try await monitor.migrate(uri: "exec:cat > \(path)") }
        // `completed` may come before the state in which a machine can go on.
        for _ in 0..<1000 {
            if try await monitor.queryStatus().status == .postMigrate { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestSupportError("QEMU did not finish its save")
    }

    /// Loads a file into a machine that was started with `-incoming defer`.
    func load(from path: String) async throws {
        try await transfer { monitor in try await monitor.migrateIncoming(uri: "exec:cat \(path)") }
    }

    private func transfer(_ begin: (QMPConnection) async throws -> Void) async throws {
        try await monitor.setMigrateCapabilities(["events": true])
        try await monitor.setMigrateParameters(["max-bandwidth": 0])
        let events = monitor.events()
        try await begin(monitor)
        let end = await events.first(within: .seconds(60)) { event in
            event.migrationStatus.map { !$0.isUnderWay && $0 != .none } ?? false
        }
        guard end?.migrationStatus == .completed else {
            throw TestSupportError("the transfer failed: \(Self.text(of: folder.file("log")))")
        }
    }

    /// Ends the process and waits until it is gone.
    func quit() async {
        try? await monitor.quit()
        process.end()
    }

    private static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "no log" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

/// The host's CLOCK_REALTIME.
func hostNow() -> HostInstant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return HostInstant(nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}
