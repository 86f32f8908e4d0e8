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
    }

    init(_ options: GlobalOptions) throws {
        environment = ProcessInfo.processInfo.environment
        global = Settings(json: options.json, control: options.control)
        terminal = Terminal(environment: environment)
        home = try Home(environment: environment, workingDirectory: FileManager.default.currentDirectoryPath)
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
        let client = ControlClient(socket: address.socket)
        if address.isNamed {
            guard try state(of: address.socket) == .live else {
                throw CommandFailure(
                    .failed,
                    code: "daemon-unreachable",
                    "no control instance answers at \(address.socket.path): start it with "
                        + "'fermata serve --socket \(address.socket.path)', or leave --control and FERMATA_CONTROL away"
                )
            }
            try await warnOfOtherVersion(client)
            return client
        }
        let launcher = DaemonLauncher(
            home: home,
            socket: address.socket,
            environment: environment,
            executable: "/proc/self/exe"
        )
        let startedIt = try await launcher.ensureRunning()
        if !startedIt { try await warnOfOtherVersion(client) }
        return client
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
