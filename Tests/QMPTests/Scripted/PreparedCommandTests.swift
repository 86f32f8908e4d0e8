import Glibc
import JSON
import QMP
import Synchronization
import Testing
import Time

@Suite struct PreparedCommandTests {
    /// Answers every command with its name.
    private func echo() throws -> ScriptedMonitor {
        try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() { peer.reply(to: message, message["execute"] ?? .null) }
        }
    }

    private func write(_ prepared: PreparedCommand, _ count: Int? = nil) -> Int {
        prepared.bytes.withUnsafeBytes {
            send(prepared.descriptor, $0.baseAddress, count ?? $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    @Test func `it is answered when its bytes are sent, and others wait until then`() async throws {
        let monitor = try echo()
        let connection = try await monitor.connect()
        let prepared = try await connection.prepare(QMPCommand("stop"))
        let order = Mutex<[String]>([])
        let other = Task {
            let answer = try await connection.execute(QMPCommand("query-status"))
            order.withLock { $0.append("other") }
            return answer
        }
        try await Task.sleep(for: .milliseconds(50))
        order.withLock { $0.append("sent") }
        #expect(write(prepared) == prepared.bytes.count)
        prepared.didSend()
        #expect(try await prepared.reply() == "stop")
        #expect(try await other.value == "query-status")
        #expect(order.withLock { $0 } == ["sent", "other"])
    }

    @Test func `an answer frees the connection also if nobody said that the bytes left`() async throws {
        let connection = try await echo().connect()
        let prepared = try await connection.prepare(QMPCommand("stop"))
        _ = write(prepared)
        #expect(try await prepared.reply() == "stop")
        #expect(try await connection.execute(QMPCommand("x")) == "x")
    }

    @Test func `a short write is completed by the connection`() async throws {
        let connection = try await echo().connect()
        let prepared = try await connection.prepare(QMPCommand("stop"))
        prepared.didSend(write(prepared, 1))
        prepared.didSend(0)
        #expect(try await prepared.reply() == "stop")
    }

    @Test func `abandoned, or dropped, it frees the connection`() async throws {
        let connection = try await echo().connect()
        let prepared = try await connection.prepare(QMPCommand("stop"))
        let reply = Task { await failure { try await prepared.reply() } }
        prepared.abandon()
        #expect(await reply.value?.code == .cancelled)
        #expect(try await connection.execute(QMPCommand("x")) == "x")
        do { _ = try await connection.prepare(QMPCommand("dropped")) }
        #expect(try await connection.execute(QMPCommand("y")) == "y")
    }

    @Test func `a second one waits for its turn, in time or not`() async throws {
        let connection = try await echo().connect()
        let first = try await connection.prepare(QMPCommand("first"))
        let late = await failure { try await connection.prepare(QMPCommand("late"), timeout: .milliseconds(30)) }
        #expect(late?.code == .timeout(.milliseconds(30)))
        #expect(late?.command == "late")
        #expect(late?.detail?.contains("'first' is prepared") == true)
        let execute = await failure { try await connection.execute(QMPCommand("x"), timeout: .milliseconds(30)) }
        #expect(execute?.detail?.contains("'first' is prepared") == true)
        let cancelled = Task { await failure { try await connection.prepare(QMPCommand("cancelled")) } }
        try await Task.sleep(for: .milliseconds(20))
        cancelled.cancel()
        #expect(await cancelled.value?.code == .cancelled)
        let second = Task { try await connection.prepare(QMPCommand("second")) }
        try await Task.sleep(for: .milliseconds(20))
        first.abandon()
        let prepared = try await second.value
        _ = write(prepared)
        prepared.didSend()
        #expect(try await prepared.reply() == "second")
    }

    @Test func `its answer has a limit of its own`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() {
                if message["execute"] != "stop" { peer.reply(to: message) }
            }
        }
        let connection = try await monitor.connect()
        let prepared = try await connection.prepare(QMPCommand("stop"), timeout: .milliseconds(500))
        _ = write(prepared)
        prepared.didSend()
        let error = await failure { try await prepared.reply(timeout: .milliseconds(40)) }
        #expect(error?.code == .timeout(.milliseconds(40)))
        #expect(error?.command == "stop")
        try await connection.execute(QMPCommand("x"))
    }

    @Test func `its descriptor stays open when the connection ends, and its answer is why`() async throws {
        let connection = try await echo().connect()
        let prepared = try await connection.prepare(QMPCommand("stop"))
        await connection.close()
        #expect(fcntl(prepared.descriptor, F_GETFD, 0) >= 0)
        #expect(write(prepared) == -1)
        #expect(await failure { try await prepared.reply() }?.code == .closed)
    }
}
