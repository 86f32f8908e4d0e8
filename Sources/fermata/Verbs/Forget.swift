import ArgumentParser
import ControlInstance
import NIOHTTP1

struct Forget: Verb {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Forget a simulation that is down; its checkpoints stay until 'rm' or 'gc' takes them.",
        discussion: """
            Nothing stands at its checkpoints any more: 'fermata log' lists them as before, 'fermata clone' makes others go on from \
            them, and 'up' of the same name finds them again. It is refused while the simulation has machines or is suspended.
            """
    )

    @Argument(help: "The simulation.")
    var simulation: CheckpointName

    @Flag(name: .customLong("dry-run"), help: "Only tell what would be forgotten.")
    var dryRun = false

    @OptionGroup var global: GlobalOptions

    func validate() throws { try simulation.requireSimulation() }

    func perform(_ session: Session) async throws {
        let name = simulation.simulation
        let answer = try await session.client().send(.DELETE, "/v1/simulations/\(name)?dryRun=\(dryRun)")
        session.show(try Received<ForgetReport>(answer)) { report in
            let terminal = session.terminal
            terminal.print(report.dryRun ? "\(name) would be forgotten" : "\(name) is forgotten")
            guard !report.checkpoints.isEmpty else { return }
            let stay = report.dryRun ? "would stay" : "stay"
            terminal.print("its checkpoints \(stay): \(report.checkpoints.joined(separator: ", "))")
            guard !report.dryRun else { return }
            terminal.print(terminal.out.apply(.faint, "next: fermata gc \(name) --keep 0   (removes them)"))
        }
    }
}
