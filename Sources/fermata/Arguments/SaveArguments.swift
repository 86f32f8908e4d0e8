import ArgumentParser
import ControlInstance
import NIOHTTP1

/// What `suspend` and `checkpoint` are told, and what they do with it.
struct SaveArguments: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The simulation; with @NAME also the checkpoint's name.", valueName: "sim[@name]"),
        completion: NameCompletion.simulations.kind
    )
    var target: CheckpointName

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Name of the checkpoint (default: the next of s1, s2…).", valueName: "name")
    )
    var checkpoint: String?

    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("A label for the checkpoint; can be given several times.", valueName: "key=value"),
        transform: { try LabelChange(setting: $0) }
    )
    var labels: [LabelChange] = []

    @Option(help: ArgumentHelp("A note about the checkpoint.", valueName: "text"))
    var note: String?

    @Flag(help: "Come back only when the checkpoint is sealed: all of it on disk, with digests.")
    var sealed = false

    @Flag(help: "Ask every host whether it could, show what each says, and begin nothing.")
    var dryRun = false

    func validate() throws {
        try CheckpointName.check(checkpoint, of: "checkpoint")
        if checkpoint != nil, target.checkpoint != nil { throw ValidationError("Give the checkpoint's name once.") }
    }

    private var set: [String: String] {
        Dictionary(labels.map { ($0.key, $0.value ?? "") }, uniquingKeysWith: { _, last in last })
    }

    /// - Parameter verb: as in the API's path.
    func perform(_ verb: String, at when: When, _ session: Session) async throws {
        let body = OperationBody(
            checkpoint: checkpoint ?? target.checkpoint,
            when: when,
            labels: labels.isEmpty ? nil : set,
            note: note
        )
        let path = "/v1/simulations/\(target.simulation)/\(verb)"
        if dryRun { return try await RehearsalText(session: session).perform(path, body: body) }
        let follower = OperationFollower(
            session: session,
            client: try await session.client(),
            title: "\(verb) of \(target.simulation)"
        )
        let report = try await follower.run(path, body: body)
        try OperationText(report).finish(session)
        if sealed, let checkpoint = report.checkpoint { try await seal(target.simulation, checkpoint, session) }
    }

    private func seal(_ simulation: String, _ checkpoint: String, _ session: Session) async throws {
        let path = "/v1/simulations/\(simulation)/checkpoints/\(checkpoint)/seal"
        _ = try Received<CheckpointSummary>(try await session.client().send(.POST, path))
        if !session.global.json { session.terminal.print("\(simulation)@\(checkpoint) is sealed") }
    }
}
