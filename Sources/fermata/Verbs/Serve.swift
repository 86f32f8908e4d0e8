import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import Glibc
import Logging
import NIOHTTP1

struct Serve: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the daemon in the foreground, or end the one that runs (verbs start one by themselves).",
        discussion: """
            Machines are processes of their own: they go on running when the daemon ends, and the next one takes charge of \
            them again. SIGTERM and ctrl-C end it gracefully.
            """
    )

    @Option(help: ArgumentHelp("Where to listen (default: control.sock in the state folder).", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error.", valueName: "level"),
        transform: { try Serve.level($0) }
    )
    var logLevel: Logger.Level = .info

    @Flag(help: "End the daemon that runs; machines go on.")
    var stop = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let socket, !socket.hasPrefix("/") {
            throw ValidationError("--socket needs an absolute path, not '\(socket)'.")
        }
        if stop, socket != nil { throw ValidationError("--stop ends the daemon of FERMATA_HOME or --control.") }
    }

    func perform(_ session: Session) async throws {
        if stop {
            try await end(session)
            return
        }
        let path = try socket ?? session.address().socket.path
        let daemon = try await Daemon(home: session.home, socketPath: path, logLevel: logLevel)
        try await daemon.run()
    }

    static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(text)' is no log level: write one of \(known)")
        }
        return level
    }

    private func end(_ session: Session) async throws {
        let socket = try session.address().socket
        guard try session.state(of: socket) == .live else {
            try tell(session, stopped: false, "no daemon runs at \(socket.path)")
            return
        }
        _ = try await ControlClient(socket: socket).send(.POST, "/v1/shutdown")
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
        try tell(session, stopped: true, "the daemon has ended; machines go on running")
    }

    private func tell(_ session: Session, stopped: Bool, _ sentence: String) throws {
        if session.global.json {
            try session.showJSON(["stopped": stopped])
        } else {
            session.terminal.print(sentence)
        }
    }
}
