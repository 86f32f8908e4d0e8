import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import Glibc
import NIOHTTP1

struct Serve: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the daemon in the foreground, or end the one that runs (verbs start one by themselves).",
        discussion: """
            Machines are processes of their own: they go on running when the daemon ends, and the next one takes charge of \
            them again. SIGTERM and ctrl-C end it gracefully. On a terminal it prints a link to the web console; with \
            FERMATA_CONSOLE=off there is none.
            """
    )

    @Option(help: ArgumentHelp("Where to listen (default: control.sock in the state folder).", valueName: "path"))
    var socket: String?

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
        if stop, socket != nil { throw ValidationError("--stop ends the daemon of FERMATA_HOME or --control.") }
    }

    func perform(_ session: Session) async throws {
        if stop {
            try await end(session)
            return
        }
        let path = try socket ?? session.address().socket.path
        let daemon = try await Daemon(home: session.home, socketPath: path, log: log)
        // Nobody but who looks at this terminal sees a link that is printed here.
        let isWatched = isatty(STDOUT_FILENO) == 1
        let opening = try ConsoleOpening.of(port: consolePort, session.environment, isWatched: isWatched)
        try await daemon.run(console: opening) { link in
            if isWatched { session.terminal.print("Web console, for one browser within five minutes: \(link.url)") }
        }
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
