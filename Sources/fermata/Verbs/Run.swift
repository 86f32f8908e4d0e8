import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import GuestClock
import HypervisorAPI

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command beside a simulation of its own, which ends with it.",
        discussion: """
            SIM@NAME, or a suspended SIM, is cloned: the checkpoint, and SIM, stay as they are. Anything else is a manifest's path. \
            The command is told of it by FERMATA_SIMULATION, FERMATA_HOME, FERMATA_MACHINES and, for each machine, \
            FERMATA_MACHINE_<NAME>_HOST, _PID, _SERIAL0 (a socket) and _SERIAL0_LOG (a file); names in capitals, '-' as '_'.

            When the command has ended, or fermata itself, even by kill -9, the machines end, and the copy is gone with all checkpoints \
            that were made of it. The exit code is the command's: 126 when it cannot be run, 127 when there is none, 128 and the signal's \
            number when it was ended by one. Signals are passed on to it. Standard input and output are the command's; what fermata \
            says, also with --json, goes to standard error.
            """
    )

    @Argument(help: ArgumentHelp("A checkpoint, a suspended simulation, or a manifest.", valueName: "sim[@name]|file"))
    var target: RunTarget

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, after '--'.", valueName: "command"))
    var command: [String] = []

    @OptionGroup var clock: ClockOptions

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Name of the copy (default: SIM-run- and six letters).", valueName: "name")
    )
    var name: String?

    @Flag(help: "When the command fails, suspend the copy and keep it, as NAME@\(CommandRun.checkpoint).")
    var checkpointOnFailure = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try CheckpointName.check(name, of: "simulation")
        if command.isEmpty { throw ValidationError("Write the command after '--': fermata run \(target) -- COMMAND.") }
        if case .manifest = target, clock.policy != nil || clock.scope != nil {
            throw ValidationError("A manifest says itself what its clocks begin with; --clock is for checkpoints.")
        }
    }

    func run() async throws {
        let session = try Session(global).onStandardError
        do {
            let status = try await perform(session)
            if status != 0 { throw ExitCode(status) }
        } catch let failure as CommandFailure {
            let report = FailureReport(failure)
            if global.json { report.writeJSON(session.terminal) } else { report.writeText(session.terminal) }
            throw ExitCode(Int32(truncatingIfNeeded: failure.problem.exitCode))
        }
    }

    private func perform(_ session: Session) async throws -> Int32 {
        // Before anything is started for it.
        let program = try Program(command, search: session.environment["PATH"] ?? "/usr/bin:/bin")
        let client: ControlClient
        let copy: String
        let start: (path: String, body: Data)
        switch target {
        case .manifest(let path):
            var spec = try ManifestFile(path: path).simulation()
            client = try await session.client()
            copy = name ?? CopyName.make(of: spec.name)
            spec.name = copy
            start = ("/v1/simulations/\(copy)/up", try JSONText.encode(UpRequest(spec: spec)))
        case .simulation(let source):
            client = try await session.client()
            copy = name ?? CopyName.make(of: source.simulation)
            let checkpoint: String
            if let named = source.checkpoint {
                checkpoint = named
            } else {
                checkpoint = try await client.checkpoint(ofSuspended: source.simulation)
            }
            start = (
                "/v1/simulations/\(source.simulation)/checkpoints/\(checkpoint)/clone",
                try JSONText.encode(CloneBody(name: copy, when: .asap, policy: clock.policy, scope: clock.scope))
            )
        }
        let run = try CommandRun(program, in: copy, client, session)
        let (status, kept) = try await run.run(start, checkpointingFailure: checkpointOnFailure)
        try tell(session, copy, status, kept)
        return status
    }

    private func tell(_ session: Session, _ copy: String, _ status: Int32, _ kept: Bool) throws {
        let checkpoint = kept ? "\(copy)@\(CommandRun.checkpoint)" : nil
        if global.json {
            try session.showJSON(Result(simulation: copy, checkpoint: checkpoint, exitCode: Int(status)))
        } else if let checkpoint {
            session.terminal.note(
                """
                fermata: the command ended with \(status); \(copy) is kept as it was then:
                  go on from there:  fermata resume \(checkpoint)
                  remove it:         fermata rm \(checkpoint)
                """
            )
        }
    }

    /// The last line of `--json`.
    private struct Result: Encodable {
        let event = "result"
        let simulation: String
        let checkpoint: String?
        let exitCode: Int
    }
}
