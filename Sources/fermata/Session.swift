import Console
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// What a verb works with: where it writes, in which form, and the control instance, started when nobody runs one.
struct Session: Sendable {
    let global: Settings
    private(set) var terminal: Terminal
    let home: Home
    let environment: [String: String]

    /// The options that every verb has, as plain values.
    struct Settings: Sendable {
        let json: Bool
        let control: String?
        /// Absolute.
        let controlAuthorities: String?
    }

    init(_ options: GlobalOptions) throws {
        environment = ProcessInfo.processInfo.environment
        let folder = FileManager.default.currentDirectoryPath
        global = Settings(
            json: options.json,
            control: options.control,
            controlAuthorities: options.controlCa.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
        )
        terminal = Terminal(environment: environment)
        home = try Home(environment: environment, workingDirectory: folder)
    }

    /// With nothing of its own on standard output.
    var onStandardError: Session {
        var session = self
        session.terminal = terminal.onStandardError
        return session
    }

    func address() throws -> ControlAddress {
        try ControlAddress(option: global.control, environment: environment, home: home)
    }

    /// A client of a daemon that answers; one is started unless the user named another.
    func client() async throws -> ControlClient {
        let address = try address()
        let socket: ControlSocket
        switch address.place {
        case .socket(let local): socket = local
        case .server(let server):
            let client = ControlClient(transport: try transport(to: server))
            try await warnOfOtherVersion(client)
            return client
        }
        let client = ControlClient(transport: ControlTransport(socket))
        if address.isNamed {
            guard try state(of: socket) == .live else {
                throw CommandFailure(
                    .failed,
                    code: "daemon-unreachable",
                    "no control instance answers at \(socket.path): start it with "
                        + "'fermata serve --socket \(socket.path)', or leave --control and FERMATA_CONTROL away"
                )
            }
            try await warnOfOtherVersion(client)
            return client
        }
        let launcher = DaemonLauncher(
            home: home,
            socket: socket,
            environment: environment,
            executable: "/proc/self/exe"
        )
        let startedIt = try await launcher.ensureRunning()
        if !startedIt { try await warnOfOtherVersion(client) }
        return client
    }

    /// Starts nothing, asks nothing.
    /// - Returns: nil when no daemon runs.
    func clientOfWhatRuns() throws -> ControlClient? {
        switch try address().place {
        case .socket(let socket):
            try state(of: socket) == .live ? ControlClient(transport: ControlTransport(socket)) : nil
        case .server(let server): ControlClient(transport: try transport(to: server))
        }
    }

    /// Whether the control instance is on another host, or as if it were: paths of its files mean nothing here.
    func isRemote() throws -> Bool {
        if case .server = try address().place { true } else { false }
    }

    /// What the control instance calls this host: it may be known from its daemon's configuration alone.
    /// - Returns: nil when this is not its own host, or as if it were not.
    func ownHost(_ client: ControlClient) async throws -> String? {
        if try isRemote() { return nil }
        return try await client.get(VersionAnswer.self, "/v1/version").value.host ?? DaemonParts.hostName()
    }

    /// The socket of what can only be done on the control instance's host.
    /// - Parameter what: a clause.
    func localSocket(for what: String) throws -> ControlSocket {
        switch try address().place {
        case .socket(let socket): return socket
        case .server(let server):
            throw CommandFailure(
                .usage,
                code: "local-only",
                "\(what), and \(server.url) is not one: do it on the control instance's host, "
                    + "or leave --control and FERMATA_CONTROL away"
            )
        }
    }

    private func transport(to server: ControlServer) throws -> ControlTransport {
        let file = global.controlAuthorities ?? environment["FERMATA_CONTROL_CA"] ?? ""
        guard !file.isEmpty else {
            throw CommandFailure(
                .usage,
                code: "control-ca-missing",
                "nothing says which authority \(server.url) has its certificate from: name its ca.pem with --control-ca or "
                    + "FERMATA_CONTROL_CA"
            )
        }
        return try ControlTransport(server, authorities: file, token: try BearerToken.find(environment))
    }

    func state(of socket: ControlSocket) throws -> ControlSocket.State {
        do {
            return try socket.state()
        } catch {
            throw CommandFailure(.failed, code: "daemon-unreachable", error.description)
        }
    }

    /// A daemon of an older release goes on serving after an upgrade; its answers may lack what this client expects.
    private func warnOfOtherVersion(_ client: ControlClient) async throws {
        let answer = try await client.send(.GET, "/v1/version", patience: .seconds(30))
        let daemon = try Received<VersionAnswer>(answer).value
        guard daemon.version != FermataVersion.current else { return }
        if case .server(let server) = client.transport.place {
            terminal.note(
                terminal.error.apply(.warning, "warning:")
                    + " the control instance at \(server.url) is fermata \(daemon.version), this is "
                    + "\(FermataVersion.current): answers may lack what this expects."
            )
            return
        }
        terminal.note(
            terminal.error.apply(.warning, "warning:")
                + " the daemon (process \(daemon.processID)) is fermata \(daemon.version), this is "
                + "\(FermataVersion.current). End it with 'fermata serve --stop'; the next verb starts a new one, "
                + "and machines go on running meanwhile."
        )
    }

    /// Prints an answer: as it came with `--json`, else as `render` words it.
    func show<Value>(_ received: Received<Value>, _ render: (Value) -> Void) {
        if global.json {
            terminal.print(String(decoding: received.json, as: UTF8.self))
        } else {
            render(received.value)
        }
    }

    func showJSON(_ value: some Encodable) throws {
        terminal.print(String(decoding: try JSONText.encode(value), as: UTF8.self))
    }
}
