import ArgumentParser
import Batch
import Console
import FoundationEssentials
import Glibc

struct BatchVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Do the steps of a file, with each combination of its values, and tell what came out.",
        discussion: """
            Each combination has a simulation of its own, which ends with it. However fermata ends, also by kill -9, none of them is \
            left, and --resume goes on with the first combination that has no result. The file is checked wholly before anything is \
            started. Ends with 0 when all have passed, 1 when one has not, 2 when the file is wrong, 3 when a --resume is refused, 130 \
            when it was called off.
            """
    )

    @Argument(help: ArgumentHelp("The batch file (YAML).", valueName: "file"), completion: ManifestCompletion.kind)
    var file: String

    @Flag(help: "Say in words what would be done, and begin nothing.")
    var dryRun = false

    @Flag(help: "Go on where the last run of this file was cut short.")
    var resume = false

    @Option(help: ArgumentHelp("How many combinations are done at the same time.", valueName: "number"))
    var parallel = 1

    @Option(help: ArgumentHelp("Write the report to this file, as JSON.", valueName: "file"))
    var report: String?

    @Option(help: ArgumentHelp("Write the report to this file, as JUnit XML.", valueName: "file"))
    var junit: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel takes a number from 1 to 64.") }
    }

    func run() async throws {
        do {
            let status = try await perform(try Session(global))
            if status != 0 { throw ExitCode(status) }
        } catch let failure as CommandFailure {
            FailureReport(failure).write(asJSON: global.json)
            throw ExitCode(failure.status.rawValue)
        }
    }

    private func perform(_ session: Session) async throws -> Int32 {
        let file = try BatchFile(path: file)
        let teller = BatchTeller(session: session, file: file)
        if dryRun {
            try teller.tellPlan()
            return 0
        }
        // Before hours of work are done that nobody could write down.
        let files = try [report, junit].map { try $0.map { try ReportFile(path: $0) } }
        let journal = try BatchJournal(of: file, in: session.home, resuming: resume)
        let run = BatchRun(file, journal, teller, session, parallel: parallel)
        let report = try await Self.interruptible(session) { try await run.perform() }
        try files[0]?.write(try JSONText.encode(report))
        try files[1]?.write(Data(JUnit.xml(of: report).utf8))
        try teller.tellEnd(report)
        return Int32(report.exitCode)
    }

    /// The first signal calls the work off, the second leaves what is still there to the daemon.
    private static func interruptible<Value: Sendable>(
        _ session: Session,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let signals = try SignalFeed()
        let task = Task(operation: work)
        let listening = Task {
            var asked = false
            for await signal in signals.signals where [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal.number) {
                if asked { Glibc.exit(ExitStatus.cancelled.rawValue) }
                asked = true
                session.terminal.note("ending what was started; once more leaves that to the daemon")
                task.cancel()
            }
        }
        defer { listening.cancel() }
        return try await task.value
    }
}
