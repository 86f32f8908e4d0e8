import Glibc
import GuestClock
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

@testable import Hypervisor

@Suite("Adopter")
struct AdopterTests {
    /// Starts a QEMU as somebody would by hand, in a folder, with relative names.
    private final class Stranger {
        let scratch: ScratchFolder
        let child: SpawnedProcess

        init(_ qemu: QEMUUnderTest, _ arguments: [String]) throws {
            scratch = try ScratchFolder()
            let null = OwnedDescriptor(open("/dev/null", O_WRONLY | O_CLOEXEC))
            scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "disk.img")
            child = try SpawnedProcess.start(
                path: qemu.binary("x86_64"),
                arguments: ["qemu-system-x86_64"] + arguments,
                workingDirectory: scratch.path,
                standardOutput: null.number,
                standardError: null.number,
                ownSession: true
            )
        }

        deinit {
            kill(child.pid, SIGKILL)
            _ = child.collect()
        }

        func untilListening(_ check: () -> Bool) async throws {
            for _ in 0..<1000 where !check() { try await Task.sleep(for: .milliseconds(20)) }
            try #require(check())
        }
    }

    private static let arguments = [
        "-M", "pc", "-m", "32", "-display", "none", "-drive", "file=disk.img,format=raw,if=ide,id=root", "-rtc",
        "base=2001-09-09T01:46:40,clock=vm", "-serial", "unix:serial,server,nowait", "-nic", "none",
    ]

    @Test("a machine that others started is known, and can be started again where it was", arguments: QEMUUnderTest.all)
    func adopted(_ qemu: QEMUUnderTest) async throws {
        let machines = try TestMachines(qemu)
        let stranger = try Stranger(qemu, Self.arguments + ["-qmp", "unix:qmp,server,nowait"])
        let monitor = stranger.scratch.file("qmp")
        try await stranger.untilListening { access(monitor, F_OK) == 0 }
        let order = AdoptOrder(simulation: "lab", machine: "old", monitor: "unix:\(monitor)")
        let record = try await Adopter().adopt(order, folder: stranger.scratch.file("old"))
        #expect(record.identity.pid == stranger.child.pid)
        #expect(record.obstacles == [])
        #expect(record.adopted)
        try #require(record.disks.map(\.id) == ["root"])
        #expect(record.disks.map(\.path) == [stranger.scratch.file("disk.img")])
        #expect(record.disks.map(\.format) == ["raw"])
        #expect(record.serialSockets == [stranger.scratch.file("serial")])
        #expect(record.launch.pinnedMachineType.hasPrefix("pc-i440fx-"))
        #expect(record.launch.clock.clock == .vm)
        #expect(record.launch.clock.base == .instant(HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_000)))
        #expect(try MachineRecord.load(from: stranger.scratch.file("old")) == record)

        // Its monitor is free again, and it never noticed.
        let again = try await QMPConnection.connect(to: .unix(monitor))
        #expect(try await again.queryStatus().isRunning)
        try await again.stop()
        let state = OwnedDescriptor(open(stranger.scratch.file("state"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        try await again.execute(QMPCommand("getfd", arguments: ["fdname": "s"]), descriptors: [state.number])
        try await again.execute(QMPCommand("migrate", arguments: ["uri": "fd:s"]))
        try await wait(again, "postmigrate")
        try await record.identity.terminate()

        // The new one loads the old one's stream: it has the same devices in the same places.
        mkdir(stranger.scratch.file("new"), 0o700)
        let disks = try await DiskLayers().makeDisks(
            on: [
                FrozenDisk(
                    id: "root",
                    format: "raw",
                    file: CheckpointFile(role: .disk, path: record.disks[0].path, bytes: 1 << 20, sha256: ""),
                    backingFiles: []
                )
            ],
            checkpointFolder: stranger.scratch.path,
            specs: record.launch.spec.disks,
            in: stranger.scratch.file("new")
        )
        let plan = LaunchPlan(
            simulation: "lab",
            spec: record.launch.spec,
            facts: try await machines.probe.facts(of: record.launch.spec.qemu),
            folder: stranger.scratch.file("new"),
            disks: disks,
            attachments: [],
            incoming: true,
            rtcBase: record.launch.clock.base,
            pinnedMachineType: record.launch.pinnedMachineType,
            adoptedArguments: record.launch.adoptedArguments
        )
        let machine = try await Launcher().launch(plan)
        do {
            #expect(machine.record.launch.clock.base == record.launch.clock.base)
            let file = OwnedDescriptor(open(stranger.scratch.file("state"), O_RDONLY | O_CLOEXEC))
            try await machine.monitor.execute(
                QMPCommand("getfd", arguments: ["fdname": "s"]),
                descriptors: [file.number]
            )
            try await machine.monitor.execute(QMPCommand("migrate-incoming", arguments: ["uri": "fd:s"]))
            try await wait(machine.monitor, "paused")
            try await machine.monitor.cont()
            #expect(try await machine.monitor.queryStatus().isRunning)
            let nodes = try await machine.monitor.queryBlock().compactMap {
                $0.inserted.map { MachineSurvey.Disk.file($0.file) }
            }
            #expect(nodes == [stranger.scratch.file("new/disk-root.qcow2")])
        } catch {
            try await machine.record.identity.terminate()
            throw error
        }
        try await machine.record.identity.terminate()
    }

    private func wait(_ monitor: QMPConnection, _ state: String) async throws {
        let deadline = MonotonicDeadline(after: .seconds(60))
        while try await monitor.execute(QMPCommand("query-status"))["status"]?.stringValue != state {
            try #require(!deadline.hasPassed)
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("a monitor on a port leads to its process, too", arguments: QEMUUnderTest.all)
    func tcp(_ qemu: QEMUUnderTest) async throws {
        let port = try Self.freePort()
        let stranger = try Stranger(qemu, Self.arguments + ["-qmp", "tcp:127.0.0.1:\(port),server=on,wait=off"])
        let order = AdoptOrder(simulation: "lab", machine: "old", monitor: "tcp:127.0.0.1:\(port)")
        var record: MachineRecord?
        for _ in 0..<500 where record == nil {
            record = try? await Adopter().adopt(order, folder: stranger.scratch.file("old"))
            if record == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(record?.identity.pid == stranger.child.pid)
    }

    private static func freePort() throws -> UInt16 {
        let socket = OwnedDescriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.number, $0, length) == 0 ? getsockname(socket.number, $0, &length) : -1
            }
        }
        try #require(result == 0)
        return UInt16(bigEndian: address.sin_port)
    }

    @Test(
        "a machine with what only its starter had is adopted, with the obstacle on record",
        arguments: QEMUUnderTest.all
    )
    func obstacle(_ qemu: QEMUUnderTest) async throws {
        let stranger = try Stranger(qemu, Self.arguments + ["-snapshot", "-qmp", "unix:qmp,server,nowait"])
        let monitor = stranger.scratch.file("qmp")
        try await stranger.untilListening { access(monitor, F_OK) == 0 }
        let order = AdoptOrder(simulation: "lab", machine: "old", monitor: monitor)
        let record = try await Adopter().adopt(order, folder: stranger.scratch.file("old"))
        #expect(record.obstacles.map(\.code).contains("adopted-snapshot"))
        #expect(record.obstacles.allSatisfy { $0.machine == "old" })
    }

    @Test("a monitor that our own launcher opened still leads to QEMU")
    func inheritedSocket() async throws {
        try await TestMachines.run(QEMUUnderTest.all[0]) { machines in
            let machine = try await machines.launch(machines.spec("a"))
            await machine.monitor.close()
            let order = AdoptOrder(simulation: "lab", machine: "again", monitor: machine.record.monitor)
            let record = try await Adopter().adopt(order, folder: machines.scratch.file("again"))
            #expect(record.identity == machine.record.identity)
        }
    }

    @Test("what is no monitor is said to be none")
    func missing() async throws {
        let scratch = try ScratchFolder()
        let long = "/" + String(repeating: "x", count: 5_000)
        for (monitor, code) in [
            (scratch.file("none"), "monitor-failed"), ("tcp:127.0.0.1:1", "monitor-failed"),
            ("nonsense", "monitor-invalid"), ("", "monitor-invalid"), ("unix:", "monitor-invalid"),
            ("tcp:127.0.0.1", "monitor-invalid"), ("/a\u{0}b", "monitor-invalid"), (long, "monitor-invalid"),
        ] {
            let order = AdoptOrder(simulation: "lab", machine: "old", monitor: monitor)
            let error = await #expect(throws: HypervisorError.self) {
                try await Adopter().adopt(order, folder: scratch.file("x"))
            }
            #expect(error?.reasons.map(\.code) == [code], "\(monitor)")
            #expect(error?.reasons.first?.machine == "old")
        }
        #expect(scratch.names == [])
    }
}
