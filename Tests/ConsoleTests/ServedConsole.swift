import FoundationEssentials
import Logging
import Time

@testable import Console

/// A server with a socket and a web console, for as long as a test needs it.
enum ServedConsole {
    /// Runs a server as long as the body, which blocks its thread: so it gets one of its own.
    static func with(
        _ control: ScriptedControl = ScriptedControl(),
        entrance: BrowserEntrance = BrowserEntrance(.onDemand),
        remote: RemoteEntrance? = nil,
        limits: DoorLimits = DoorLimits(),
        logger: Logger = quiet,
        at path: String,
        _ body: @escaping @Sendable (String) throws -> Void
    ) async throws {
        let server = try server(
            control,
            entrance: entrance,
            remote: remote,
            limits: limits,
            logger: logger,
            at: path
        )
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { isReady.finish() }
                try await server.serve(until: []) { isReady.finish() }
            }
            for await _ in ready {}
            try await onThread { try body(path) }
            // The body may have ended it itself.
            if let connection = try? RawConnection(to: path) {
                connection.send(
                    "POST /v1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            }
            try await tasks.waitForAll()
        }
    }

    static func server(
        _ control: ScriptedControl = ScriptedControl(),
        entrance: BrowserEntrance = BrowserEntrance(.onDemand),
        remote: RemoteEntrance? = nil,
        limits: DoorLimits = DoorLimits(),
        logger: Logger = quiet,
        at path: String
    ) throws -> ConsoleServer {
        var server = ConsoleServer(
            control: control,
            socket: try ControlSocket(path: path),
            started: HostInstant(nanosecondsSinceEpoch: 0),
            entrance: entrance,
            tokens: TokenBook(path: "\(path).tokens", logger: Logger(label: "test")),
            keys: KeyBook(path: "\(path).keys", logger: Logger(label: "test")),
            remote: remote,
            logger: logger
        )
        server.longestEnd = nil
        server.limits = limits
        return server
    }

    static var quiet: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }

    /// With a browser that nobody has let in yet.
    static func browsing(
        _ control: ScriptedControl = ScriptedControl(),
        limits: BrowserSessions.Limits = BrowserSessions.Limits(),
        doors: DoorLimits = DoorLimits(),
        _ body: @escaping @Sendable (Visit) throws -> Void
    ) async throws {
        try await withFolder { folder in
            let entrance = BrowserEntrance(.onDemand, limits: limits)
            try await with(control, entrance: entrance, limits: doors, at: "\(folder)/s") { path throws in
                try body(Visit(socket: path))
            }
        }
    }

    /// What a test of browsers has in hand.
    struct Visit: Sendable {
        let socket: String
        let stranger: BrowserClient

        init(socket: String) throws {
            self.socket = socket
            stranger = BrowserClient(port: try Self.answer(socket).port)
        }

        func link() throws -> String { try Self.answer(socket).url }

        /// A browser with a session.
        func guest() throws -> BrowserClient { try stranger.enter(try link()).0 }

        private static func answer(_ socket: String) throws -> ConsoleAnswer {
            let connection = try RawConnection(to: socket)
            connection.send(
                "POST /v1/console HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            let text = try connection.receive(until: "\u{0}")
            guard let start = text.firstIndex(of: "{") else { throw SystemFailure("no link: \(text)") }
            return try JSONDecoder().decode(ConsoleAnswer.self, from: Data(text[start...].utf8))
        }
    }
}
