import ArgumentParser
import Console
import ControlInstance
import HostClock

struct Log: Verb {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show a simulation's checkpoints as the tree that they form."
    )

    @Argument(help: "The simulation.", completion: NameCompletion.simulations.kind)
    var simulation: CheckpointName

    @Option(help: ArgumentHelp("Only checkpoints with this label.", valueName: "key[=value]"))
    var label: String?

    @Flag(help: "Draw the tree beside the checkpoints in the order in which they were made.")
    var graph = false

    @OptionGroup var global: GlobalOptions

    func validate() throws { try simulation.requireSimulation() }

    func perform(_ session: Session) async throws {
        let name = simulation.simulation
        let query = label.map { "?label=\(ControlClient.escaped($0))" } ?? ""
        let path = "/v1/simulations/\(name)/checkpoints\(query)"
        let client = try await session.client()
        let answer = try await client.get(CheckpointsAnswer.self, path)
        if graph, !session.global.json, !answer.value.checkpoints.isEmpty {
            let others = try await client.get(SimulationsAnswer.self, "/v1/simulations").value.simulations
            draw(answer.value.checkpoints, others, session.terminal)
            return
        }
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
            if let storage = answer.storage, let quota = storage.quotaBytes {
                let use = "\(TimeText.bytes(storage.usedBytes)) of a quota of \(TimeText.bytes(quota))"
                session.terminal.print(session.terminal.out.apply(.faint, use))
            }
            if answer.checkpoints.contains(where: \.current) {
                session.terminal.print(session.terminal.out.apply(.faint, "* where \(name) stands now"))
            }
        }
    }

    /// - Parameter simulations: all, for the clones among them.
    private func draw(_ checkpoints: [CheckpointSummary], _ simulations: [SimulationSummary], _ terminal: Terminal) {
        let own = simulations.first { $0.simulation == simulation.simulation }
        for line in CheckpointGraph(checkpoints, terminal.drawsLines ? .unicode : .plain).lines {
            guard let checkpoint = line.checkpoint else {
                terminal.print(line.drawing)
                continue
            }
            var words = [
                terminal.out.apply(checkpoint.current ? .strong : nil, checkpoint.checkpoint),
                terminal.out.apply(.faint, TimeText.relative(checkpoint.instant, to: .now)),
                TimeText.bytes(checkpoint.bytes),
            ]
            if let origin = checkpoint.origin { words.append("from \(origin)") }
            if checkpoint.current, let own { words.append("<- \(own.simulation), \(own.state.rawValue)") }
            let clones = simulations.filter { $0.origin?.id == checkpoint.id }.map(\.simulation)
            if !clones.isEmpty { words.append("-> \(clones.joined(separator: ", "))") }
            let labels = LabelText.words(checkpoint.labels)
            if !labels.isEmpty { words.append("[\(labels)]") }
            let note = LabelText.line(checkpoint.note)
            if !note.isEmpty { words.append(terminal.out.apply(.faint, note)) }
            terminal.print("\(line.drawing)  \(words.joined(separator: "  "))")
        }
    }
}
