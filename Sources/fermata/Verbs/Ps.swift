import ArgumentParser
import Console
import ControlInstance
import HostClock
import HypervisorAPI

struct Ps: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List simulations: what each is doing, and where it stands in its checkpoints."
    )

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let answer = try await session.client().get(SimulationsAnswer.self, "/v1/simulations")
        session.show(answer) { answer in
            if answer.simulations.isEmpty {
                session.terminal.print("No simulations yet. Start one with 'fermata up lab.yaml'.")
                return
            }
            var table = Table(
                .left("SIMULATION"),
                .left("STATE"),
                .left("CHECKPOINT"),
                .left("CLONE OF"),
                .left("MACHINES"),
                .left("CREATED"),
                .left("OPERATION")
            )
            for simulation in answer.simulations {
                table.add(
                    Table.Cell(simulation.simulation, .strong),
                    StateText.cell(simulation.state),
                    Table.Cell(simulation.checkpoint ?? ""),
                    Table.Cell(simulation.origin?.description ?? ""),
                    Table.Cell(simulation.machines.joined(separator: ", ")),
                    Table.Cell(TimeText.relative(simulation.created, to: .now)),
                    Table.Cell(simulation.operation?.text ?? "")
                )
            }
            session.terminal.print(table)
        }
    }
}
