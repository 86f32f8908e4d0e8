import ArgumentParser
import ControlInstance
import NIOHTTP1

struct Down: Verb {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "End the machines of a simulation and release what it holds; its checkpoints stay.",
        discussion: "Machines are ended as if switched off. Adopted ones are let go, not ended."
    )

    @Argument(help: "The simulation.", completion: NameCompletion.simulations.kind)
    var simulation: CheckpointName

    @OptionGroup var global: GlobalOptions

    func validate() throws { try simulation.requireSimulation() }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        let path = "/v1/simulations/\(simulation.simulation)/down"
        let report = try Received<DownReport>(try await client.send(.POST, path))
        session.show(report) { report in
            let count = report.machines.count
            let what = count == 1 ? "1 machine ended" : "\(count) machines ended"
            session.terminal.print(
                "\(report.simulation) is down (it was \(report.before.rawValue); "
                    + "\(count == 0 ? "no machine was left" : "\(what): \(report.machines.joined(separator: ", "))"))"
            )
        }
    }
}
