import ArgumentParser
import Console
import ControlInstance
import NIOCore
import NIOHTTP1

struct Resume: Verb {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a simulation go on from a checkpoint, all machines at one instant.",
        discussion: """
            Without @NAME, from the checkpoint that it was suspended to. Without --clock, guests go on with the time they \
            had (or as the manifest says). The checkpoint stays as it is and can be resumed again, \
            unless it is given away by --consume. With --host, machines go on on other hosts than those that saved them: \
            what they were saved as is brought there first, as a checkpoint of its own beside this one.
            """
    )

    @Argument(help: ArgumentHelp("The simulation, or one of its checkpoints.", valueName: "sim[@name]"))
    var target: CheckpointName

    @Flag(help: "Ask every host whether it could, show what each says, and begin nothing.")
    var dryRun = false

    @OptionGroup var instant: InstantOptions
    @OptionGroup var clock: ClockOptions
    @OptionGroup var ram: RAMOptions
    @OptionGroup var placing: HostOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard dryRun, !placing.hosts.isEmpty else { return }
        throw ValidationError(
            "--host brings machines to other hosts first, and --dry-run begins nothing: leave one of them out."
        )
    }

    func perform(_ session: Session) async throws {
        do {
            try await resume(session)
        } catch var failure as CommandFailure {
            failure.hint = MovingHint.text(for: failure.problem.reasons, resuming: target.description)
            throw failure
        }
    }

    private func resume(_ session: Session) async throws {
        let client = try await session.client()
        let target = placing.hosts.isEmpty ? target : try await moved(client, session)
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
            client: client,
            title: "resume of \(target)"
        )
        let report = try await follower.run(path, body: body)
        try OperationText(report).finish(session)
    }

    /// The checkpoint whose machines lie where they shall go on.
    private func moved(_ client: ControlClient, _ session: Session) async throws -> CheckpointName {
        let simulation = "/v1/simulations/\(target.simulation)"
        var checkpoint = target.checkpoint
        if checkpoint == nil {
            checkpoint = try await client.get(SimulationDetail.self, simulation).value.summary.checkpoint
        }
        guard let checkpoint else {
            throw CommandFailure(
                .usage,
                code: "checkpoint-not-named",
                "name the checkpoint whose machines go to other hosts: \(target.simulation)@NAME"
            )
        }
        let body = try JSONText.encode(MoveBody(hosts: placing.byMachine))
        let made = try Received<CheckpointDetail>(
            try await client.send(
                .POST,
                "\(simulation)/checkpoints/\(checkpoint)/move",
                body: body,
                patience: .hours(24)
            )
        )
        let name = made.value.manifest.name
        if name != checkpoint, !global.json {
            let moved = placing.hosts.map { "\($0.machine) on \($0.host)" }.joined(separator: ", ")
            session.terminal.print("\(target.simulation)@\(name) is \(target.simulation)@\(checkpoint) with \(moved)")
            for note in made.value.notes ?? [] { session.terminal.print("note: \(note)") }
        }
        return CheckpointName(simulation: target.simulation, checkpoint: name)
    }

    private struct MoveBody: Encodable { let hosts: [String: String] }
}
