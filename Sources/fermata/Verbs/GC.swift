import ArgumentParser
import ControlInstance
import NIOHTTP1
import Time

struct GC: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Clear away what nothing refers to, and, when asked, old checkpoints.",
        discussion: """
            Folders of checkpoints that never became whole, clones that are down and have no checkpoints, logs of simulations that are \
            no more. With --keep or --older-than also checkpoints, but never what is labelled 'keep', what a simulation or clone \
            stands at, or what others' disks lie on. Where a simulation stands that is down is taken with --all, or when it is \
            forgotten ('fermata forget').
            """
    )

    @Argument(help: "Only of this simulation.", completion: NameCompletion.simulations.kind)
    var simulation: CheckpointName?

    @Flag(name: .customLong("dry-run"), help: "Only tell what would be removed.")
    var dryRun = false

    @Option(help: ArgumentHelp("Remove checkpoints beyond the newest so many of each simulation.", valueName: "number"))
    var keep: Int?

    @Option(
        name: .customLong("older-than"),
        help: ArgumentHelp(
            "Remove checkpoints that are older: 7d, 12h; with --keep only those beyond both.",
            valueName: "age"
        ),
        transform: { try GC.age($0) }
    )
    var age: Span?

    @Flag(help: "With --keep or --older-than: also the checkpoint that a simulation stands at which is down.")
    var all = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try simulation?.requireSimulation()
        if let keep, keep < 0 { throw ValidationError("--keep is a number of checkpoints.") }
        if all, keep == nil, age == nil {
            throw ValidationError("--all widens a rule: say which checkpoints go with --keep or --older-than.")
        }
    }

    func perform(_ session: Session) async throws {
        let body = GarbageBody(
            simulation: simulation?.simulation,
            dryRun: dryRun ? true : nil,
            keep: keep,
            olderThanNs: age,
            all: all ? true : nil
        )
        let answer = try await session.client().send(.POST, "/v1/gc", body: try JSONText.encode(body))
        session.show(try Received<GarbageReport>(answer)) { show($0, session.terminal) }
    }

    private func show(_ report: GarbageReport, _ terminal: Terminal) {
        let verb = report.dryRun ? "would remove" : "removed"
        for item in report.items {
            let what =
                switch item.kind {
                case .checkpoint: "checkpoint"
                case .partial: "unfinished"
                case .simulation: "clone"
                case .leftover: "left over"
                }
            terminal.print("\(verb) \(what) \(item.name), \(TimeText.bytes(item.bytes))")
        }
        for reason in report.spared { terminal.print("\(terminal.out.apply(.warning, "kept:")) \(reason)") }
        let total = TimeText.bytes(report.bytes)
        terminal.print(report.items.isEmpty ? "Nothing to remove." : "\(verb) \(total) in all")
    }

    /// Days too: ages are longer than other durations.
    private static func age(_ text: String) throws -> Span {
        if text.hasSuffix("d"), let days = Int64(text.dropLast()), days >= 0, days < 100_000 {
            return .seconds(days * 86_400)
        }
        do {
            return try Span(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
