import ArgumentParser
import ControlInstance

struct Rewind: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rewind",
        abstract: "Go back to an older checkpoint of a simulation, all machines at one instant.",
        discussion: """
            What runs is kept: it is suspended to a checkpoint of its own first (--as names it), or ended with --discard. At --at or \
            --in it stops; it goes on from the older checkpoint as soon as every host can. A simulation that does not run goes on \
            from there at that instant. What is saved from then on branches off there in 'fermata log'.
            """
    )

    @Argument(
        help: ArgumentHelp("The checkpoint to go back to.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Name of the checkpoint that keeps what runs now (default: the next of s1, s2…).",
            valueName: "name"
        )
    )
    var kept: String?

    @Flag(help: "End what runs now without saving it.")
    var discard = false

    @Flag(help: "Ask every host whether it could, show what each says, and begin nothing.")
    var dryRun = false

    @OptionGroup var instant: InstantOptions
    @OptionGroup var clock: ClockOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try target.requireCheckpoint()
        try CheckpointName.check(kept, of: "checkpoint")
        if kept != nil, discard {
            throw ValidationError("Keep what runs with --as, or end it with --discard, not both.")
        }
    }

    func perform(_ session: Session) async throws {
        let body = OperationBody(
            checkpoint: target.checkpoint,
            when: instant.when,
            policy: clock.policy,
            scope: clock.scope,
            keepAs: kept,
            discard: discard ? true : nil
        )
        let path = "/v1/simulations/\(target.simulation)/rewind"
        if dryRun {
            return try await RehearsalText(session: session, title: "rewind to \(target)").perform(path, body: body)
        }
        let follower = OperationFollower(
            session: session,
            client: try await session.client(),
            title: "rewind to \(target)"
        )
        let report = try await follower.run(path, body: body)
        try OperationText(report).finish(session)
    }
}
