import Glibc
import JSON
import QMP
import Testing
import Time

/// What the real QEMU does not do on demand.
@Suite struct QMPConnectionScriptedTests {
    @Test func `bytes that come one by one make the same answers`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.sendSplit(ScriptedPeer.greeting)
            while let message = peer.receive() {
                let id = message["id"] ?? .null
                peer.sendSplit((["return": ["name": "é"], "id": id] as JSONValue).description)
            }
        }
        let connection = try await monitor.connect()
        for _ in 0..<5 {
            #expect(try await connection.execute(QMPCommand("query-name")) == ["name": "é"])
        }
        #expect(connection.greeting.version == .init(major: 10, minor: 0, micro: 2))
    }

    @Test func `answers in the reverse order, with events between them, reach who asked`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            let messages = (0..<20).compactMap { _ in peer.receive() }
            for message in messages.reversed() {
                peer.event("X")
                peer.reply(to: message, message["arguments"] ?? .null)
            }
            _ = peer.receive()
        }
        let connection = try await monitor.connect()
        let events = connection.events()
        let other = connection.events()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let arguments: JSONValue = ["n": .integer(Int64(number))]
                    let answer = try await connection.execute(QMPCommand("echo", arguments: arguments))
                    #expect(answer == arguments)
                }
            }
            try await group.waitForAll()
        }
        for subscriber in [events, other] {
            for _ in 0..<20 { #expect(await subscriber.next()?.name == "X") }
        }
        await connection.close()
        #expect(await events.next() == nil)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "220 ready\r\n", "{\"jsonrpc\": \"2.0\"}", "HTTP/1.1 400 Bad Request\r\n",
        "\u{1}\u{2}",
        "[]",
    ])
    func `a peer that is no monitor is named by what it sent`(banner: String) async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.send(banner)
            _ = peer.receive()
        }
        let error = await failure { try await monitor.connect() }
        guard case .notQMP(let received)? = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(received.contains(banner.first == "\u{1}" ? "\\x01\\x02" : String(banner.prefix(2))))
        #expect(error?.address == monitor.address)
    }

    @Test func `a peer that never greets is a timeout that says so`() async throws {
        let monitor = try ScriptedMonitor { peer in _ = peer.receive() }
        let error = await failure {
            try await QMPConnection.connect(to: monitor.address, timeout: .milliseconds(100))
        }
        #expect(error?.code == .timeout(.milliseconds(100)))
        #expect(error?.detail?.contains("no greeting") == true)
    }

    @Test func `a peer that greets and is silent then is a timeout that says so`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.send(ScriptedPeer.greeting)
            while peer.receive() != nil {}
        }
        let error = await failure {
            try await QMPConnection.connect(to: monitor.address, timeout: .milliseconds(200))
        }
        #expect(error?.code == .timeout(.milliseconds(200)))
        #expect(error?.detail?.contains("qmp_capabilities") == true)
    }

    @Test func `a peer that closes before or in its greeting is told apart`() async throws {
        let silent = try ScriptedMonitor { $0.end() }
        #expect(await failure { try await silent.connect() }?.code == .peerClosed)
        let half = try ScriptedMonitor { peer in
            peer.send(ScriptedPeer.greeting.prefix(30).utf8)
            peer.end()
        }
        let error = await failure { try await half.connect() }
        guard case .notQMP? = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `garbage ends the connection, names its place, and everybody who waits learns it by command`()
        async throws
    {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            _ = peer.receive()
            _ = peer.receive()
            peer.send("{\"return\": \u{1}")
            while peer.receive() != nil {}
        }
        let connection = try await monitor.connect()
        async let first = failure { try await connection.execute(QMPCommand("query-a")) }
        async let second = failure { try await connection.execute(QMPCommand("query-b")) }
        let errors = await [first, second]
        #expect(errors.map { $0?.command } == ["query-a", "query-b"])
        for error in errors {
            guard case .protocolViolation(let what)? = error?.code else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(what.contains("byte"))
        }
        let late = await failure { try await connection.execute(QMPCommand("query-c")) }
        #expect(late?.command == "query-c")
        #expect(late?.code == errors[0]?.code)
        #expect(await connection.closed.code == errors[0]?.code)
        #expect(!connection.isOpen)
    }

    @Test func `a peer that dies in the middle of an answer is told with the place`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            _ = peer.receive()
            peer.send("{\"return\": {\"sta")
            peer.end()
        }
        let connection = try await monitor.connect()
        let events = connection.events()
        let error = await failure { try await connection.execute(QMPCommand("query-status")) }
        #expect(error?.code == .peerClosed)
        #expect(error?.command == "query-status")
        #expect(error?.detail?.contains("in the middle of a message") == true)
        #expect(await events.next() == nil)
        #expect(await connection.events().next() == nil)
    }

    @Test func `a reset is told apart from a close`() async throws {
        let monitor = try ScriptedMonitor(overTCP: true) { peer in
            peer.negotiate()
            _ = peer.receive()
            peer.reset()
        }
        let connection = try await monitor.connect()
        #expect(connection.peerProcessID == nil)
        let error = await failure { try await connection.execute(QMPCommand("stop")) }
        #expect(error?.code == .connectionLost(errno: ECONNRESET))
        #expect(error?.command == "stop")
    }

    @Test func `an answer that comes before the peer closes is delivered, also when more could not be sent`()
        async throws
    {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            let message = peer.receive()
            peer.stopReceiving()
            if let message { peer.reply(to: message, "bye") }
            peer.end()
        }
        let connection = try await monitor.connect()
        #expect(try await connection.execute(QMPCommand("quit")) == "bye")
        let error = await failure { try await connection.execute(QMPCommand("query-status")) }
        // Whichever of the two sides is seen first to have gone.
        #expect(error?.code == .peerClosed || error?.code == .connectionLost(errno: EPIPE))
    }

    @Test func `a command that is not answered in time fails alone, and its late answer is dropped`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            let slow = peer.receive() ?? .null
            if let quick = peer.receive() {
                peer.reply(to: slow, "late")
                peer.reply(to: quick, "quick")
            }
            _ = peer.receive()
        }
        let connection = try await monitor.connect()
        let error = await failure {
            try await connection.execute(QMPCommand("slow"), timeout: .milliseconds(50))
        }
        #expect(error?.code == .timeout(.milliseconds(50)))
        #expect(error?.command == "slow")
        #expect(try await connection.execute(QMPCommand("quick"), timeout: nil) == "quick")
    }

    @Test func `cancelling a wait gives it up and leaves the connection well`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            let first = peer.receive() ?? .null
            if let second = peer.receive() {
                peer.reply(to: first)
                peer.reply(to: second, 2)
            }
            _ = peer.receive()
        }
        let connection = try await monitor.connect()
        let task = Task { await failure { try await connection.execute(QMPCommand("a"), timeout: nil) } }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(try await connection.execute(QMPCommand("b")) == 2)
    }

    @Test func `closing tells everybody who waits, and what comes later`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            while peer.receive() != nil {}
        }
        let connection = try await monitor.connect()
        let task = Task { await failure { try await connection.execute(QMPCommand("a"), timeout: nil) } }
        try await Task.sleep(for: .milliseconds(20))
        await connection.close()
        #expect(await task.value == QMPError(.closed, command: "a", address: monitor.address))
        #expect(await failure { try await connection.execute(QMPCommand("b")) }?.code == .closed)
        #expect(await failure { try await connection.prepare(QMPCommand("b")) }?.code == .closed)
        #expect(await connection.closed.code == .closed)
        await connection.close()
    }

    @Test func `what the connection does not offer is refused before anything leaves`() async throws {
        let plain = ScriptedPeer.greeting.replacing("\"oob\"", with: "")
        let monitor = try ScriptedMonitor(overTCP: true) { peer in
            peer.send(plain)
            if let message = peer.receive() { peer.reply(to: message) }
            if let message = peer.receive() { peer.reply(to: message, "the first") }
            _ = peer.receive()
        }
        let connection = try await monitor.connect()
        let oob = await failure { try await connection.execute(QMPCommand("x", outOfBand: true)) }
        guard case .notOffered? = oob?.code else {
            Issue.record("\(String(describing: oob))")
            return
        }
        let descriptors = await failure { try await connection.execute(QMPCommand("getfd"), descriptors: [0]) }
        guard case .notOffered? = descriptors?.code else {
            Issue.record("\(String(describing: descriptors))")
            return
        }
        let arguments = await failure { try await connection.execute(QMPCommand("x", arguments: [1])) }
        #expect(arguments?.code == .invalidCommand("arguments are an object"))
        let number = await failure {
            try await connection.execute(QMPCommand("x", arguments: ["a": .double(.nan)]))
        }
        #expect(number?.command == "x")
        #expect(try await connection.execute(QMPCommand("y")) == "the first")
    }

    @Test func `a socket that is missing, refuses, or has too long a name is told with the reason`() async throws {
        let folder = TemporaryFolder()
        let missing = await failure { try await QMPConnection.connect(to: .unix(folder.file("none"))) }
        #expect(missing?.code == .connectFailed(errno: ENOENT))
        let long = folder.file(String(repeating: "x", count: 300))
        #expect(
            await failure { try await QMPConnection.connect(to: .unix(long)) }?.code
                == .connectFailed(errno: ENAMETOOLONG)
        )
        let gone = try ScriptedMonitor(overTCP: true) { _ in }.address
        let refused = await failure { try await QMPConnection.connect(to: gone) }
        #expect(refused?.code == .connectFailed(errno: ECONNREFUSED))
        let unknown = await failure { try await QMPConnection.connect(to: .tcp(host: "no such host", port: 1)) }
        guard case .hostNotFound? = unknown?.code else {
            Issue.record("\(String(describing: unknown))")
            return
        }
    }
}
