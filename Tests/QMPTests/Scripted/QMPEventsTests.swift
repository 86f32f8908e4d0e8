import JSON
import QMP
import Testing
import Time

@Suite struct QMPEventsTests {
    /// Emits events when it is asked to, and answers after them.
    private func emitter() throws -> ScriptedMonitor {
        try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() {
                let count = message["arguments"]?["count"]?.int64Value ?? 1
                let name = message["execute"]?.stringValue ?? ""
                let event: JSONValue = ["event": .string(name), "timestamp": ["seconds": 1, "microseconds": 0]]
                peer.send(String(repeating: event.description + "\r\n", count: Int(count)))
                peer.reply(to: message)
            }
        }
    }

    private func emit(_ name: String, _ count: Int64 = 1) -> QMPCommand {
        QMPCommand(name, arguments: ["count": .integer(count)])
    }

    @Test func `a flood that nobody reads costs a bounded buffer, and STOP and RESUME survive it`() async throws {
        let connection = try await emitter().connect()
        let events = connection.events(buffering: 100)
        for name in ["STOP", "RESUME"] {
            try await connection.execute(emit("NOISE", 3_000))
            try await connection.execute(emit(name))
        }
        try await connection.execute(emit("NOISE", 3_000))
        #expect(events.lost == 9_000 + 2 - 100)
        var kept: [String] = []
        for _ in 0..<100 { kept.append(await events.next()?.name ?? "") }
        #expect(kept.filter { $0 != "NOISE" } == ["STOP", "RESUME"])
    }

    @Test func `a flood of what never gives way ends the connection`() async throws {
        let connection = try await emitter().connect()
        let events = connection.events()
        let error = await failure { try await connection.execute(emit("STOP", 70_000), timeout: .seconds(400)) }
        guard case .protocolViolation(let what)? = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what.contains("65536 events"))
        #expect(await events.next()?.name == "STOP")
    }

    @Test func `a cancelled wait loses nothing`() async throws {
        let connection = try await emitter().connect()
        let events = connection.events()
        for round in 0..<50 {
            let wait = Task { await events.next() }
            if round % 2 == 0 { await Task.yield() }
            wait.cancel()
            try await connection.execute(emit("A"))
            if await wait.value == nil { #expect(await events.next()?.name == "A") }
        }
    }

    @Test func `the first that matches is found in time or not at all, and later ones stay`() async throws {
        let connection = try await emitter().connect()
        let events = connection.events()
        #expect(await events.first(within: .milliseconds(20)) { $0.name == "STOP" } == nil)
        for name in ["A", "STOP", "B"] { try await connection.execute(emit(name)) }
        let stop = await events.first(within: .seconds(30)) { $0.name == "STOP" }
        #expect(stop?.timestamp == HostInstant(nanosecondsSinceEpoch: 1_000_000_000))
        #expect(await events.next()?.name == "B")
    }

    @Test func `the sequence ends with the connection, after what had come`() async throws {
        let connection = try await emitter().connect()
        let events = connection.events()
        try await connection.execute(emit("A", 3))
        await connection.close()
        var count = 0
        for await event in events {
            #expect(event.name == "A")
            count += 1
        }
        #expect(count == 3)
    }
}
