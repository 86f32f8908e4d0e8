import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Console

/// Clients of the web console that are slow, half gone, too large or too many.
@Suite struct BrowserLoadTests {
    @Test(arguments: [
        Input("a word", "garbage\r\n\r\n"), Input("NULs", "\u{0}\u{0}\u{0}\r\n\r\n"),
        Input("no host", "GET / HTTP/1.1\r\n\r\n"),
        Input("a huge header", "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n"),
        Input(
            "a huge cookie",
            "GET /v1/health HTTP/1.1\r\nHost: x\r\nCookie: \(String(repeating: "a=b; ", count: 40_000))\r\n\r\n"
        ),
        Input("a huge path", "GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: x\r\n\r\n"),
        Input("many headers", "GET / HTTP/1.1\r\nHost: x\r\n\(String(repeating: "X: y\r\n", count: 5_000))\r\n"),
        Input("a wrong chunk", "POST /v1/gc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ])
    func `what is no request of a browser's is refused, and others are served`(_ input: Input) async throws {
        try await ServedConsole.browsing { visit throws in
            let connection = try RawConnection(toPort: visit.stranger.port)
            connection.send(input.text)
            let reply = try connection.receive(until: "\r\n\r\n")
            #expect(reply.isEmpty || reply.hasPrefix("HTTP/1.1 4"), "\(reply.prefix(80))")
            #expect(try visit.guest().send("GET", "/v1/health").status == 200)
        }
    }

    @Test func `a body is refused unread, whoever sends it`() async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            for cookies in [guest.cookies, ""] {
                let connection = try RawConnection(toPort: guest.port)
                connection.send(
                    "POST /v1/simulations/lab/suspend HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(cookies)\r\n"
                        + "X-Fermata-CSRF: \(guest.csrf ?? "")\r\nContent-Length: 1073741824\r\n\r\n"
                )
                let status = cookies.isEmpty ? "401" : "413"
                #expect(try connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 \(status)"))
            }
        }
    }

    @Test func `requests that are sent without waiting are answered in their order`() async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            let connection = try RawConnection(toPort: guest.port)
            let request = "HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(guest.cookies)\r\n\r\n"
            let round = "GET /v1/health \(request)GET /v1/nothing \(request)"
            connection.send(String(repeating: round, count: 50) + "GET /enter?last \(request)")
            let text = try connection.receive(until: "HTTP/1.1 303")
            let statuses = text.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
            #expect(statuses == (0..<50).flatMap { _ in ["200", "404"] } + ["303"])
        }
    }

    /// The server has no limit on its end here: it would wait for ever for clients that hold it up.
    @Test(.timeLimit(.minutes(2)))
    func `clients that are slow or half gone do not hold up the end of the daemon`() async throws {
        let operation = OperationID(text: "op1")
        let control = ScriptedControl(events: [.phase(operation, .preparing, deadline: nil)], endsStreams: false)
        try await ServedConsole.browsing(control) { visit throws in
            let guest = try visit.guest()
            let head = "Host: \(guest.host)\r\nCookie: \(guest.cookies)\r\n"
            let texts = [
                "", "GET /v1/hea", "GET /v1/health HTTP/1.1\r\nHost: x\r\n",
                "POST /v1/gc HTTP/1.1\r\n\(head)X-Fermata-CSRF: \(guest.csrf ?? "")\r\nContent-Length: 100\r\n\r\n{",
                "GET /v1/operations/op1/events HTTP/1.1\r\n\(head)\r\n",
            ]
            let clients = try (texts + texts).map { text in
                let client = Client(try RawConnection(toPort: guest.port))
                client.connection.send(text)
                return client
            }
            for client in clients.prefix(texts.count) { client.connection.finishSending() }
            #expect(try clients.last?.connection.receive(until: "preparing").contains("preparing") == true)
            // More than fits between the two, of which nobody reads anything.
            let name = String(repeating: "x", count: 1 << 20)
            let start = HostInstant(nanosecondsSinceEpoch: 0)
            for _ in 0..<20 {
                control.tell(
                    .stage(OperationReport.Stage(machine: nil, name: name, started: start, duration: .zero, bytes: nil))
                )
            }
            let last = try RawConnection(to: visit.socket)
            last.send("POST /v1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            while access(visit.socket, F_OK) == 0 { usleep(10_000) }
            withExtendedLifetime(clients) {}
        }
    }

    private final class Client {
        let connection: RawConnection

        init(_ connection: consuming RawConnection) { self.connection = connection }
    }
}
