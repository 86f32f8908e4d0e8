import ArgumentParser
import UnixSignals

struct Serial: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serial",
        abstract: "Show what a machine says on a serial port, and type into it.",
        discussion: """
            Shows the last of what it has said and goes on, over suspends and resumes, on whichever host the machine is. At a terminal all \
            keys go to the guest; Ctrl-] leaves. Elsewhere it only shows, until it is ended. --send types something and shows nothing.

            With --json it is lines: {"event": "output", "end": BYTES, "base64": …}, where end counts all that ever came out of the port, and \
            {"event": "state", "state": "stopped", "lost", "connected" or "ended", "message": …}.
            """
    )

    @Argument(help: "The simulation.", completion: NameCompletion.simulations.kind)
    var simulation: CheckpointName

    @Argument(help: "The machine.")
    var machine: String

    @Option(help: ArgumentHelp("Number of the serial port (default: the first that is no link).", valueName: "number"))
    var port: UInt8?

    @Option(
        help: ArgumentHelp(
            "Begin behind so many bytes of all that ever came out of it (default: with the last 64 KiB).",
            valueName: "bytes"
        )
    )
    var from: UInt64?

    @Option(help: ArgumentHelp("Type this, as it is, and end once QEMU has read it.", valueName: "text"))
    var send: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try simulation.requireSimulation()
        try CheckpointName.check(machine, of: "machine")
        if send != nil, from != nil { throw ValidationError("--send shows nothing: leave --from away.") }
    }

    func perform(_ session: Session) async throws {
        let query = port.map { "?port=\($0)" } ?? ""
        let line = SerialLine(
            client: try await session.client(),
            path: "/v1/simulations/\(simulation.simulation)/machines/\(machine)/serial\(query)",
            terminal: session.terminal,
            isJSON: global.json
        )
        if let send { return try await line.send(Array(send.utf8)) }
        let from = from
        guard !global.json, let keyboard = RawKeyboard() else { return try await line.follow(from: from) }
        defer { keyboard.restore() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sighup)
            tasks.addTask { try await line.follow(from: from) }
            tasks.addTask { for await keys in keyboard.keys { try await line.send(keys) } }
            tasks.addTask { for await _ in signals { return } }
            defer { tasks.cancelAll() }
            _ = try await tasks.next()
        }
    }
}
