import ArgumentParser
import Console
import ControlInstance
import HostClock

struct Log: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Show a simulation's checkpoints as the tree that they form."
    )

    @Argument(help: "The simulation.")
    var simulation: CheckpointName

    @Option(help: ArgumentHelp("Only checkpoints with this label.", valueName: "key[=value]"))
    var label: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws { try simulation.requireSimulation() }

    func perform(_ session: Session) async throws {
        let name = simulation.simulation
        let query = label.map { "?label=\(ControlClient.escaped($0))" } ?? ""
        let path = "/v1/simulations/\(name)/checkpoints\(query)"
        let answer = try await session.client().get(CheckpointsAnswer.self, path)
        session.show(answer) { answer in
            if answer.checkpoints.isEmpty {
                session.terminal.print(
                    label.map { "\(name) has no checkpoints with label \($0)." }
                        ?? "\(name) has no checkpoints yet. Make one with 'fermata suspend \(name)'."
                )
                return
            }
            var table = Table(
                .left("CHECKPOINT"),
                .left("SUSPENDED AT"),
                .left(""),
                .right("SIZE"),
                .left(""),
                .left("MACHINES"),
                .left("LABELS"),
                .left("NOTE")
            )
            for line in CheckpointTree(answer.checkpoints).lines {
                let checkpoint = line.checkpoint
                table.add(
                    Table.Cell(
                        line.indentation + checkpoint.checkpoint + (checkpoint.current ? " *" : "")
                            + (checkpoint.origin.map { ", of \($0)" } ?? ""),
                        checkpoint.current ? .strong : nil
                    ),
                    Table.Cell(TimeText.local(checkpoint.instant, fraction: 3)),
                    Table.Cell(TimeText.relative(checkpoint.instant, to: .now), .faint),
                    Table.Cell(TimeText.bytes(checkpoint.bytes)),
                    Table.Cell(checkpoint.sealed ? "" : "unsealed", .warning),
                    Table.Cell(checkpoint.machines.joined(separator: ", ")),
                    Table.Cell(LabelText.words(checkpoint.labels)),
                    Table.Cell(LabelText.line(checkpoint.note))
                )
            }
            session.terminal.print(table)
            if answer.checkpoints.contains(where: \.current) {
                session.terminal.print(session.terminal.out.apply(.faint, "* where \(name) stands now"))
            }
        }
    }
}
