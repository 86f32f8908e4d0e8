import ArgumentParser
import ControlInstance
import GuestClock
import HypervisorAPI
import NIOHTTP1
import Time

struct Clock: Verb {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract:
            "Read every clock of every machine, live or in a checkpoint; or write a checkpoint with other clocks.",
        discussion: """
            Live, each machine stands still for about 2 ms while its state is read; --no-pause reads only what QEMU tells \
            of a running machine. SIM@NAME with --clock writes a new checkpoint beside the old one, which never changes.
            """
    )

    @Argument(help: ArgumentHelp("The simulation, or one of its checkpoints.", valueName: "sim[@name]"))
    var target: CheckpointName

    @Flag(name: .customLong("no-pause"), help: "Do not stop the machines for it, and read less.")
    var noPause = false

    @OptionGroup var clock: ClockOptions

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Name of the new checkpoint (default: the next of s1, s2…).", valueName: "name")
    )
    var newCheckpoint: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try CheckpointName.check(newCheckpoint, of: "checkpoint")
        if clock.policy == nil {
            if newCheckpoint != nil {
                throw ValidationError("--as names a checkpoint with other clocks: give --clock too.")
            }
            if clock.scope != nil {
                throw ValidationError("--clock-scope says which clocks --clock moves: give --clock too.")
            }
        } else if target.checkpoint == nil {
            throw ValidationError(
                "--clock edits a checkpoint, not a running simulation: write '\(target.simulation)@NAME', "
                    + "or suspend it and resume it with --clock."
            )
        }
        if noPause, target.checkpoint != nil { throw ValidationError("A checkpoint is read without any pause.") }
    }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        let simulation = "/v1/simulations/\(target.simulation)"
        guard let checkpoint = target.checkpoint else {
            let report = try await client.get(ClockReport.self, "\(simulation)/clocks?pausing=\(!noPause)")
            session.show(report) { ClockText($0).write(session.terminal) }
            return
        }
        let path = "\(simulation)/checkpoints/\(checkpoint)/clocks"
        guard let policy = clock.policy else {
            let report = try await client.get(ClockReport.self, path)
            session.show(report) { ClockText($0).write(session.terminal) }
            return
        }
        let body = EditBody(checkpoint: newCheckpoint, policy: policy, scope: clock.scope)
        let made = try Received<CheckpointDetail>(try await client.send(.POST, path, body: try JSONText.encode(body)))
        session.show(made) { detail in
            let manifest = detail.manifest
            session.terminal.print(
                "wrote \(manifest.simulation)@\(manifest.name): \(target) with the clocks \(PolicyText.words(policy))"
            )
            session.terminal.print()
            let machines = manifest.machines.map {
                ClockReport.Machine(name: $0.name, readAt: $0.stoppedAt, pause: .zero, clock: $0.clock, notes: [])
            }
            let report = ClockReport(simulation: manifest.simulation, checkpoint: manifest.name, machines: machines)
            ClockText(report).write(session.terminal)
        }
    }

    private struct EditBody: Encodable {
        let checkpoint: String?
        let policy: ClockPolicy
        let scope: ClockScope?
    }
}
