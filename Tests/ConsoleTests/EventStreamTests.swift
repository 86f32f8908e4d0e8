import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Console

/// Events as clients read them, who come, go and come back.
@Suite struct EventStreamTests {
    private static let operation = OperationID(text: "op1")

    @Test func `changes come as named events with ids`() async throws {
        let control = ScriptedControl(endsStreams: false)
        try await ServedConsole.browsing(control) { visit throws in
            let connection = try Self.open("/v1/events", visit)
            #expect(try connection.receive(until: "{}\n\n").contains("id: x-0\nevent: reset\ndata: {}\n\n"))
            control.tell(Change(id: "x-1", what: .simulation("lab", .running)))
            let text = try connection.receive(until: "}\n\n")
            #expect(
                text.contains(
                    "id: x-1\nevent: simulation\ndata: {\"removed\":false,\"simulation\":\"lab\",\"state\":\"running\"}\n\n"
                )
            )
        }
    }

    @Test func `who comes back to an operation hears what came behind the last event that was seen`() async throws {
        let phases: [OperationPhase] = [.preparing, .prepared, .armed]
        let control = ScriptedControl(
            events: phases.map { .phase(Self.operation, $0, deadline: nil) }
                + [
                    .result(
                        OperationReport(
                            operation: Self.operation,
                            kind: .suspend,
                            simulation: "lab",
                            outcome: .done,
                            started: HostInstant(nanosecondsSinceEpoch: 0)
                        )
                    )
                ]
        )
        try await ServedConsole.browsing(control) { visit throws in
            for (last, expected) in [
                (nil, ["1", "2", "3", "end"]), ("2", ["3", "end"]), ("3", ["end"]), ("99", ["end"]),
                ("end", ["1", "2", "3", "end"]), ("-5", ["1", "2", "3", "end"]),
            ] {
                let connection = try Self.open("/v1/operations/op1/events", visit, last: last)
                let text = try connection.receive(until: "0\r\n\r\n")
                #expect(text.matches(of: /id: (\w+)\n/).map { String($0.1) } == expected, "\(last ?? "nothing")")
            }
        }
    }

    @Test func `a client that does not read is let go of, and others hear everything`() async throws {
        let control = ScriptedControl(endsStreams: false)
        try await ServedConsole.browsing(control) { visit throws in
            let deaf = try Self.open("/v1/events", visit)
            let heard = try Self.open("/v1/events", visit)
            _ = try deaf.receive(until: "reset")
            _ = try heard.receive(until: "reset")
            let name = String(repeating: "x", count: 2_048)
            for number in 1...8_000 {
                control.tell(Change(id: "x-\(number)", what: .host(name, removed: false)))
                // The other keeps up.
                if number.isMultiple(of: 100) { _ = try heard.receive(until: "id: x-\(number)\n") }
            }
            // What was under way to it is there still; the end follows, without the end of the body.
            let rest = try deaf.receive(until: "\u{0}")
            #expect(!rest.contains("id: x-8000\n") && !rest.hasSuffix("0\r\n\r\n"))
        }
    }

    private static func open(_ path: String, _ visit: ServedConsole.Visit, last: String? = nil) throws -> RawConnection
    {
        let guest = try visit.guest()
        let connection = try RawConnection(toPort: guest.port)
        let resume = last.map { "Last-Event-ID: \($0)\r\n" } ?? ""
        connection.send(
            "GET \(path) HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(guest.cookies)\r\nAccept: text/event-stream\r\n\(resume)\r\n"
        )
        return connection
    }
}
