import ArgumentParser
import CShims
import Console
import ControlInstance
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1

struct Serve: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the daemon in the foreground, or end the one that runs (verbs start one by themselves).",
        discussion: """
            Machines are processes of their own: they go on running when the daemon ends, and the next one takes charge of \
            them again. SIGTERM and ctrl-C end it gracefully. On a terminal it prints a link to the web console; with \
            FERMATA_CONSOLE=off there is none.

            --listen needs the credentials of 'fermata pki issue control NAME --address HOST', and clients a token of \
            'fermata token create'.
            """
    )

    @Option(help: ArgumentHelp("Where to listen (default: control.sock in the state folder).", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "Serve the API over TLS there, too, ADDRESS:PORT, to who has a token (default: FERMATA_LISTEN, else nowhere).",
            valueName: "address"
        )
    )
    var listen: String?

    @OptionGroup var log: LogOptions

    @Option(
        help: ArgumentHelp(
            "Open the web console at once, at this port of 127.0.0.1; 0: any that is free (default: FERMATA_CONSOLE, else when 'fermata console' asks).",
            valueName: "port"
        )
    )
    var consolePort: Int?

    @Flag(help: "End the daemon that runs; machines go on.")
    var stop = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let socket, !socket.hasPrefix("/") {
            throw ValidationError("--socket needs an absolute path, not '\(socket)'.")
        }
        if let consolePort, !(0...65_535).contains(consolePort) {
            throw ValidationError("--console-port needs a port from 0 to 65535, not \(consolePort).")
        }
        if let listen, (try? ListenAddress(listen)) == nil {
            throw ValidationError("--listen needs ADDRESS:PORT, such as 0.0.0.0:7444, not '\(listen)'.")
        }
        if stop, socket != nil { throw ValidationError("--stop ends the daemon of FERMATA_HOME or --control.") }
    }

    func perform(_ session: Session) async throws {
        if stop {
            try await end(session)
            return
        }
        let path = try socket ?? session.localSocket(for: "'fermata serve' makes a UNIX socket").path
        let remote = try listen.map { try ListenAddress($0) } ?? ListenAddress.of(session.environment)
        let daemon = try await Daemon(home: session.home, socketPath: path, log: log)
        // Nobody but who looks at this terminal sees a link that is printed here.
        let isWatched = isatty(STDOUT_FILENO) == 1
        let opening = try ConsoleOpening.of(port: consolePort, session.environment, isWatched: isWatched)
        try await daemon.run(console: opening, listen: remote) { link in
            if isWatched { session.terminal.print("Web console, for one browser within five minutes: \(link.url)") }
        }
    }

    private func end(_ session: Session) async throws {
        let socket = try session.localSocket(for: "'fermata serve --stop' ends the daemon at a UNIX socket")
        guard try session.state(of: socket) == .live else {
            try tell(session, stopped: false, "no daemon runs at \(socket.path)")
            return
        }
        let client = ControlClient(transport: ControlTransport(socket))
        let process = await Self.process(of: client)
        defer { if process >= 0 { close(process) } }
        _ = try await client.send(.POST, "/v1/shutdown")
        let deadline = ContinuousClock.now + .seconds(60)
        // It answers before it has closed its database; only without its socket may another one begin.
        while try session.state(of: socket) == .live {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .failed,
                    code: "daemon-not-stopping",
                    "the daemon at \(socket.path) does not end: see its log"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        // Whoever copies or removes the state folder next has it alone.
        while process >= 0, !Self.hasEnded(process), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        try tell(session, stopped: true, "the daemon has ended; machines go on running")
    }

    /// - Returns: a pidfd of the daemon; negative when it is not to be had.
    private static func process(of client: ControlClient) async -> Int32 {
        let answer = try? await client.send(.GET, "/v1/version", patience: .seconds(30))
        guard let answer, let version = try? Received<VersionAnswer>(answer).value else { return -1 }
        return fermata_pidfd_open(version.processID)
    }

    private static func hasEnded(_ pidfd: Int32) -> Bool {
        var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    private func tell(_ session: Session, stopped: Bool, _ sentence: String) throws {
        if session.global.json {
            try session.showJSON(["stopped": stopped])
        } else {
            session.terminal.print(sentence)
        }
    }
}
