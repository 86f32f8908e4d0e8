import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Console

/// The server on a real socket, with clients that keep to nothing.
@Suite struct ConsoleServerTests {
    @Test func `the socket can be used by nobody but its user`() async throws {
        try await serving(ScriptedControl()) { path throws in
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    /// Whom it lets in at that moment and drops would be a trap in NIO.
    @Test func `a server that is cancelled while clients come in ends in order`() async throws {
        for _ in 0..<20 {
            try await withFolder { folder in
                let path = "\(folder)/s"
                let server = try ServedConsole.server(at: path)
                let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
                let serving = Task {
                    defer { isReady.finish() }
                    try await server.serve(until: []) { isReady.finish() }
                }
                for await _ in ready {}
                try await onThread {
                    for index in 0..<100 {
                        if index == 50 { serving.cancel() }
                        guard let connection = try? RawConnection(to: path) else { return }
                        connection.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
                    }
                }
                try await serving.value
            }
        }
    }

    @Test(arguments: [
        Input("a word", "garbage\r\n\r\n"), Input("a method alone", "GET\r\n\r\n"),
        Input("HTTP/9.9", "GET / HTTP/9.9\r\n\r\n"), Input("NULs", "\u{0}\u{0}\u{0}\u{0}\r\n\r\n"),
        Input("a negative length", "POST /v1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        Input(
            "a wrong chunk",
            "POST /v1/simulations/lab/down HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        Input("a huge header", "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n"),
        Input("a huge path", "GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    ])
    func `what is no HTTP is refused, and the server lives on`(_ input: Input) async throws {
        try await serving(ScriptedControl()) { path throws in
            let connection = try RawConnection(to: path)
            connection.send(input.text)
            let reply = try connection.receive(until: "\r\n\r\n")
            #expect(
                reply.isEmpty || reply.hasPrefix("HTTP/1.1 4") || reply.hasPrefix("HTTP/1.1 505"),
                "\(reply.prefix(80))"
            )
            try expectHealthy(path)
        }
    }

    @Test func `a client that stops in the middle of its request harms nobody`() async throws {
        try await serving(ScriptedControl()) { path throws in
            for text in [
                "POST /v1/simulations/lab/suspend HTT",
                "POST /v1/simulations/lab/suspend HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{\"chec",
            ] {
                let connection = try RawConnection(to: path)
                connection.send(text)
            }
            try expectHealthy(path)
        }
    }

    @Test func `a body announced as too large is refused unread`() async throws {
        try await serving(ScriptedControl()) { path throws in
            let connection = try RawConnection(to: path)
            connection.send(
                "POST /v1/simulations/lab/suspend HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
            )
            #expect(try connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 413"))
            try expectHealthy(path)
        }
    }

    @Test func `bytes of chance bring no answer but errors`() async throws {
        try await serving(ScriptedControl()) { path throws in
            // The same bytes at each run: a failure can be had again.
            var generator = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
            for _ in 0..<200 {
                let connection = try RawConnection(to: path)
                let count = Int.random(in: 1...400, using: &generator)
                connection.send((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
            }
            try expectHealthy(path)
        }
    }

    @Test func `events come as they happen, and a client that goes away does not end the operation`() async throws {
        let control = ScriptedControl(
            events: [.phase(OperationID(text: "op1"), .preparing, deadline: nil)],
            endsStreams: false
        )
        try await serving(control) { path throws in
            do {
                let gone = try RawConnection(to: path)
                gone.send("GET /v1/operations/op1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try gone.receive(until: "preparing").contains("\"phase\":\"preparing\""))
            }
            #expect(control.seen.cancelled.isEmpty)
            let again = try RawConnection(to: path)
            again.send("GET /v1/operations/op1/events HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try again.receive(until: "preparing").contains("\"phase\":\"preparing\""))
            control.tell(.phase(OperationID(text: "op1"), .armed, deadline: HostInstant(nanosecondsSinceEpoch: 9)))
            #expect(try again.receive(until: "armed").contains("\"deadlineNs\":9"))
            try expectHealthy(path)
        }
    }

    @Test func `ending the server ends open event streams and removes the socket`() async throws {
        let control = ScriptedControl(
            events: [.phase(OperationID(text: "op1"), .preparing, deadline: nil)],
            endsStreams: false
        )
        try await withFolder { folder in
            let path = "\(folder)/s"
            try await serving(control, at: path) { path throws in
                let connection = try RawConnection(to: path)
                connection.send("GET /v1/operations/op1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try connection.receive(until: "preparing")
                let other = try RawConnection(to: path)
                other.send("POST /v1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                #expect(try other.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 202"))
                // Chunked bodies end with a chunk of length 0, also one that was cut off.
                let rest = try connection.receive(until: "0\r\n\r\n")
                #expect(!rest.contains("result"))
            }
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func `a second server on the same socket is refused, and the first goes on`() async throws {
        try await serving(ScriptedControl()) { path throws in
            #expect(throws: ControlSocketError.inUse(path)) { try ControlSocket(path: path).claim() }
            try expectHealthy(path)
        }
    }

    private func expectHealthy(_ path: String) throws {
        let connection = try RawConnection(to: path)
        connection.send("GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(try connection.receive(until: "}").hasSuffix("{\"status\":\"ok\"}"))
    }

    private func serving(_ control: ScriptedControl, _ body: @escaping @Sendable (String) throws -> Void) async throws {
        try await withFolder { folder in try await serving(control, at: "\(folder)/s", body) }
    }

    private func serving(
        _ control: ScriptedControl,
        at path: String,
        _ body: @escaping @Sendable (String) throws -> Void
    ) async throws {
        try await ServedConsole.with(control, at: path, body)
    }
}
