import ControlInstance
import FoundationEssentials
import Glibc
import HTTPTypes
import HypervisorAPI
import Synchronization
import Testing

@testable import Console

/// Serial ports as the API has them. What they say is made up here.
@Suite struct SerialTests {
    private static let path = "/v1/simulations/lab/machines/bmc/serial"

    private static func stream(_ news: [SerialNews]) -> AsyncStream<SerialNews> {
        AsyncStream { continuation in
            for one in news { continuation.yield(one) }
            continuation.finish()
        }
    }

    @Test func `what a port says comes as numbered events, and how it is with it in words`() async throws {
        let control = ScriptedControl(
            serial: Self.stream([
                .output(SerialChunk(end: 6, bytes: Array("login:".utf8), runs: true)), .silence,
                .state(
                    SerialState(
                        state: .lost,
                        message: "lab/bmc: host far cannot be reached",
                        reasons: [Reason(code: "host-unreachable", message: "host far cannot be reached")]
                    )
                ), .silence, .state(SerialState(state: .connected, message: "lab/bmc: it is heard again")),
                .output(SerialChunk(end: 8, bytes: [0, 255], runs: true)),
            ])
        )
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.get, Self.path)
            #expect(reply.contentType == "text/event-stream")
            let events = reply.text.split(separator: "\n\n").map(String.init)
            try #require(events.count == 4, "\(reply.text)")
            #expect(events[0] == "id: 6\nevent: output\ndata: bG9naW46")
            #expect(events[1].hasPrefix("event: state\ndata: {") && events[1].contains("\"state\":\"lost\""))
            #expect(events[1].contains("\"message\":\"lab/bmc: host far cannot be reached\""))
            #expect(events[1].contains("host-unreachable"))
            #expect(events[2].contains("\"state\":\"connected\""))
            #expect(events[3] == "id: 8\nevent: output\ndata: AP8=")
        }
        #expect(control.seen.followed == [nil])
    }

    @Test(
        arguments: [("0", 0), ("17", 17), ("-1", nil), ("x", nil), ("99999999999999999999", nil)] as [(String, UInt64?)]
    )
    func `who comes back says where he was`(_ last: String, _ expected: UInt64?) async throws {
        let control = ScriptedControl(serial: Self.stream([]))
        try await RouterClient.with(control) { client async throws in
            let status = try await client.send(.get, Self.path, "", headers: [.lastEventID: last]).status
            #expect(status == 200)
        }
        #expect(control.seen.followed == [expected])
    }

    @Test func `what is typed is checked before anybody hears of it`() async throws {
        let control = ScriptedControl(serial: Self.stream([]))
        try await RouterClient.with(control) { client async throws in
            let text = Data("reboot\r".utf8).base64EncodedString()
            #expect(try await client.send(.post, Self.path, "{\"base64\": \"\(text)\"}").status == 204)
            #expect(try await client.send(.post, Self.path, "{\"base64\": \"*\"}").status == 400)
            #expect(try await client.send(.post, "\(Self.path)?port=x", "{\"base64\": \"\"}").status == 400)
            #expect(try await client.send(.post, "\(Self.path)?port=1", "{\"base64\": \"\"}").status == 404)
        }
        #expect(control.seen.typed == ["lab/bmc: reboot\r"])
    }

    @Test func `for a client that does not read nothing is read`() async throws {
        // A guest that never stops talking.
        let taken = Mutex(0)
        let endless = AsyncStream<SerialNews> {
            let end = taken.withLock { taken in
                taken += SerialChunk.mostBytes
                return taken
            }
            return .output(
                SerialChunk(end: UInt64(end), bytes: Array(repeating: 65, count: SerialChunk.mostBytes), runs: true)
            )
        }
        try await ServedConsole.browsing(ScriptedControl(serial: endless)) { visit throws in
            let guest = try visit.guest()
            let connection = try RawConnection(toPort: guest.port)
            connection.send(
                "GET \(Self.path) HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(guest.cookies)\r\nAccept: text/event-stream\r\n\r\n"
            )
            let first = try connection.receive(until: "event: output")
            var before = -1
            // Sockets between the two hold some; then it stands still.
            while taken.withLock({ $0 }) != before {
                before = taken.withLock { $0 }
                usleep(300_000)
            }
            #expect(before < 64 << 20)
            // Whoever reads on has lost nothing.
            let text = first + (try connection.receive(until: "id: \(before + SerialChunk.mostBytes)\n"))
            #expect(text.contains("id: \(before)\n"))
        }
    }
}
