import ArgumentParser
import ControlInstance

struct Resume: Verb {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a simulation go on from a checkpoint, all machines at one instant.",
        discussion: """
            Without @NAME, from the checkpoint that it was suspended to. Without --clock, guests go on with the time they \
            had (or as the manifest says). The checkpoint stays as it is and can be resumed again,
            unless it is given away by --consume.
            """
    )

    @Argument(help: ArgumentHelp("The simulation, or one of its checkpoints.", valueName: "sim[@name]"))
    var target: CheckpointName

    @Flag(help: "Ask every host whether it could, show what each says, and begin nothing.")
    var dryRun = false

    @OptionGroup var instant: InstantOptions
    @OptionGroup var clock: ClockOptions
    @OptionGroup var ram: RAMOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let body = OperationBody(
            checkpoint: target.checkpoint,
            when: instant.when,
            policy: clock.policy,
            scope: clock.scope,
            ram: ram.use
        )
        let path = "/v1/simulations/\(target.simulation)/resume"
        if dryRun { return try await RehearsalText(session: session).perform(path, body: body) }
        let follower = OperationFollower(
            session: session,
            client: try await session.client(),
            title: "resume of \(target)"
        )
        let report = try await follower.run(path, body: body)
        try OperationText(report).finish(session)
    }
}
