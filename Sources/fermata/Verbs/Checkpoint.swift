import ArgumentParser
import ControlInstance

struct Checkpoint: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Save all machines of a simulation as they are at one instant; they run on.",
        discussion: """
            They stop together at the instant and go on together milliseconds later; their RAM is saved while they run on, where \
            the kernel and QEMU can do that (the report says so). Without --at or --in, at the first instant at which every host can.
            """
    )

    @Argument(help: ArgumentHelp("The simulation; with @NAME also the checkpoint's name.", valueName: "sim[@name]"))
    var target: CheckpointName

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Name of the checkpoint (default: the next of s1, s2…).", valueName: "name")
    )
    var checkpoint: String?

    @OptionGroup var instant: InstantOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try CheckpointName.check(checkpoint, of: "checkpoint")
        if checkpoint != nil, target.checkpoint != nil { throw ValidationError("Give the checkpoint's name once.") }
    }

    func perform(_ session: Session) async throws {
        let body = OperationBody(checkpoint: checkpoint ?? target.checkpoint, when: instant.when)
        let follower = OperationFollower(
            session: session,
            client: try await session.client(),
            title: "checkpoint of \(target.simulation)"
        )
        let report = try await follower.run("/v1/simulations/\(target.simulation)/checkpoint", body: body)
        try OperationText(report).finish(session)
    }
}
