import CShims
import Glibc
import JSON
import QMP
import Testing
import Time

/// One real QEMU after the other: there are few processors.
@Suite(.serialized) struct QMPConnectionRealTests {
    @Test(arguments: QEMUBinary.all)
    func `connecting tells which QEMU it is, and which process`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        #expect(connection.greeting.version.description.hasPrefix(binary.release + "."))
        #expect(try await connection.queryVersion() == connection.greeting.version)
        #expect(connection.greeting.offersOutOfBand)
        #expect(connection.peerProcessID == qemu.process.pid)
        await connection.close()
        let again = try await qemu.connect()
        try await again.quit()
        #expect(await again.closed.code == .peerClosed)
    }

    @Test(arguments: QEMUBinary.all)
    func `a thousand commands at once are each answered with their own answer`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    let path = "/nowhere-\(number)-"
                    let error = await failure { try await connection.qomList(path, timeout: .seconds(120)) }
                    #expect(error?.description.contains(path) == true, "\(String(describing: error))")
                }
            }
        }
        #expect(connection.isOpen)
    }

    @Test(arguments: QEMUBinary.all)
    func `more than the socket holds is sent as QEMU takes it`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        qemu.process.signal(SIGSTOP)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    // 10 KB each: more than the 208 KiB of a socket's buffer. QEMU reads a monitor byte by byte.
                    let path = "/\(number)-" + String(repeating: "x", count: 10_000)
                    let error = await failure { try await connection.qomList(path, timeout: .seconds(120)) }
                    #expect(error?.errorClass == "DeviceNotFound")
                    #expect(error?.description.contains("/\(number)-x") == true)
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(200))
                qemu.process.signal(SIGCONT)
            }
        }
    }

    @Test(arguments: QEMUBinary.all)
    func `STOP and RESUME carry QEMU's own stamp, between our command and its answer`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: ["-accel", "tcg", "-m", "16"])
        let connection = try await qemu.connect()
        let events = connection.events()
        func stamp(of name: String, _ body: () async throws -> Void) async throws {
            let before = HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns())
            try await body()
            let after = HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns())
            let event = await events.first(within: .seconds(60)) { $0.name == name }
            let stamp = try #require(event?.timestamp)
            #expect(before - .microseconds(1) <= stamp && stamp <= after)
            #expect(stamp.nanosecondsSinceEpoch % 1_000 == 0)
        }
        #expect(try await connection.queryStatus().status == .preLaunch)
        #expect(try await !connection.queryStatus().isRunning)
        try await stamp(of: "RESUME") { try await connection.cont() }
        #expect(try await connection.queryStatus().status == .running)
        try await stamp(of: "STOP") { try await connection.stop() }
        #expect(try await connection.queryStatus().status == .paused)
        let prepared = try await connection.prepare(QMPCommand("cont"))
        try await stamp(of: "RESUME") {
            let sent = prepared.bytes.withUnsafeBytes { send(prepared.descriptor, $0.baseAddress, $0.count, 0) }
            prepared.didSend(sent)
            try await prepared.reply()
        }
    }

    @Test(arguments: QEMUBinary.all)
    func `a prepared stop that is abandoned, or lost with its connection, stops nothing`(
        binary: QEMUBinary
    ) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: ["-accel", "tcg", "-m", "16"])
        let connection = try await qemu.connect()
        try await connection.cont()
        let events = connection.events()
        let abandoned = try await connection.prepare(QMPCommand("stop"))
        abandoned.abandon()
        #expect(try await connection.queryStatus().isRunning)
        let lost = try await connection.prepare(QMPCommand("stop"))
        await connection.close()
        #expect(await failure { try await lost.reply() }?.code == .closed)
        let again = try await qemu.connect()
        #expect(try await again.queryStatus().isRunning)
        var seen: [String] = []
        for await event in events { seen.append(event.name) }
        #expect(!seen.contains("STOP"))
    }

    @Test(arguments: QEMUBinary.all)
    func `descriptors reach QEMU, many at once, by name and into sets`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        let files = TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let descriptor = open(files.file("file\(number)"), O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
                    defer { close(descriptor) }
                    try await connection.getfd(name: "fd\(number)", descriptor: descriptor)
                    try await connection.addfd(set: Int64(number), descriptor: descriptor)
                }
            }
            try await group.waitForAll()
        }
        let opened = qemu.openFiles()
        for number in 0..<20 { #expect(opened.filter { $0 == files.file("file\(number)") }.count == 2) }
        let sets = try await connection.queryFDSets()
        #expect(Set(sets.map(\.id)) == Set(0..<20))
        for number in 0..<20 {
            try await connection.closefd(name: "fd\(number)")
            try await connection.removefd(set: Int64(number))
        }
        // QEMU 7.2 closes what is taken out of a set only while the machine runs.
        let left = qemu.openFiles().filter { $0.hasPrefix(files.path) }
        #expect(left.count == (binary.release == "7.2" ? 20 : 0))
        #expect(await failure { try await connection.closefd(name: "fd0") }?.errorClass == "GenericError")
    }

    @Test(arguments: QEMUBinary.all)
    func `out-of-band commands are answered, others are refused that way`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        let yank = try await connection.execute(QMPCommand("query-yank", outOfBand: true))
        #expect(yank.arrayValue?.isEmpty == false)
        let error = await failure { try await connection.execute(QMPCommand("query-status", outOfBand: true)) }
        #expect(error?.errorClass == "GenericError")
        #expect(error?.command == "query-status")
    }

    @Test(arguments: QEMUBinary.all)
    func `kill -9 with commands under way: each learns it by name`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        let events = connection.events()
        qemu.process.signal(SIGSTOP)
        let names = (0..<10).map { "query-\($0)" }
        let tasks = names.map { name in Task { await failure { try await connection.execute(QMPCommand(name)) } } }
        let prepared = try await connection.prepare(QMPCommand("stop"))
        let behind = Task { await failure { try await connection.execute(QMPCommand("behind")) } }
        try await Task.sleep(for: .milliseconds(50))
        qemu.process.signal(SIGKILL)
        for (name, task) in zip(names, tasks) {
            let error = await task.value
            #expect(error?.command == name)
            #expect(error?.endsConnection == true, "\(String(describing: error))")
        }
        #expect(await behind.value?.command == "behind")
        #expect(await failure { try await prepared.reply() }?.command == "stop")
        #expect(await events.next() == nil)
        _ = await connection.closed
    }

    @Test(arguments: QEMUBinary.all)
    func `a QEMU that hangs is a timeout, and goes on afterwards`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        qemu.process.signal(SIGSTOP)
        let error = await failure { try await connection.queryStatus(timeout: .milliseconds(100)) }
        #expect(error?.code == .timeout(.milliseconds(100)))
        qemu.process.signal(SIGCONT)
        #expect(try await connection.queryStatus(timeout: .seconds(60)).status == .preLaunch)
    }

    @Test(arguments: QEMUBinary.all)
    func `a second client is told that another has the monitor`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        let error = await failure {
            try await QMPConnection.connect(to: qemu.address, timeout: .milliseconds(200))
        }
        #expect(error?.code == .timeout(.milliseconds(200)))
        #expect(error?.detail?.contains("another client") == true)
        await connection.close()
    }

    @Test(arguments: QEMUBinary.all)
    func `TCP works as well, without descriptors and process id`(binary: QEMUBinary) async throws {
        let folder = TemporaryFolder()
        // Port 0: QEMU chooses; its UNIX monitor tells which.
        let qemu = try await QEMU(
            binary,
            extra: ["-chardev", "socket,id=t,host=127.0.0.1,port=0,server=on,wait=off", "-mon", "t,mode=control"]
        )
        let unix = try await qemu.connect()
        let device = try #require(try await unix.queryChardev().first { $0.label == "t" })
        let port = try #require(device.filename.split { !$0.isNumber }.last.flatMap { UInt16($0) })
        let connection = try await QMPConnection.connect(to: .tcp(host: "localhost", port: port), timeout: .seconds(30))
        #expect(connection.peerProcessID == nil)
        #expect(try await connection.queryName() == nil)
        let error = await failure { try await connection.getfd(name: "x", descriptor: 0) }
        guard case .notOffered? = error?.code else {
            Issue.record("\(String(describing: error)) \(folder.path)")
            return
        }
    }

    @Test func `a socket path longer than a socket address holds works`() async throws {
        let folder = TemporaryFolder()
        let deep = folder.file(String(repeating: "d", count: 150))
        mkdir(deep, 0o700)
        let qemu = try await QEMU(QEMUBinary.all[0])
        let first = try await qemu.connect()
        await first.close()
        guard case .unix(let path) = qemu.address else { return }
        #expect(rename(path, deep + "/qmp") == 0)
        let connection = try await QMPConnection.connect(to: .unix(deep + "/qmp"), timeout: .seconds(60))
        #expect(connection.peerProcessID == qemu.process.pid)
    }
}
