import ArgumentParser
import ControlInstance
import GuestClock
import HostClock
import HypervisorAPI
import SerialText

struct Show: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a simulation and its machines, or a checkpoint and what is in it."
    )

    @Argument(help: ArgumentHelp("The simulation, or one of its checkpoints.", valueName: "sim[@name]"))
    var target: CheckpointName

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        let path = "/v1/simulations/\(target.simulation)"
        if let checkpoint = target.checkpoint {
            let detail = try await client.get(CheckpointDetail.self, "\(path)/checkpoints/\(checkpoint)")
            session.show(detail) { show($0, session.terminal) }
        } else {
            let detail = try await client.get(SimulationDetail.self, path)
            session.show(detail) { show($0, session.terminal) }
        }
    }

    private func show(_ detail: SimulationDetail, _ terminal: Terminal) {
        let summary = detail.summary
        let place = summary.checkpoint.map { ", last at \(summary.simulation)@\($0)" } ?? ""
        terminal.print("\(terminal.out.apply(.strong, summary.simulation)) is \(summary.state.rawValue)\(place)")
        if let origin = summary.origin { terminal.print("a clone of \(origin)") }
        terminal.print("clock policy of a resume that names none: \(PolicyText.words(detail.spec.clock))")
        var table = Table(
            .left("MACHINE"),
            .left("STATE"),
            .left("HOST"),
            .right("PID"),
            .left("TYPE"),
            .left("QEMU"),
            .left("MONITOR")
        )
        for machine in detail.machines {
            table.add(
                Table.Cell(machine.name + (machine.adopted ? " (adopted)" : "")),
                StateText.cell(machine.state),
                Table.Cell(machine.host),
                Table.Cell(machine.processID.map { String($0) } ?? ""),
                Table.Cell(machine.launch.pinnedMachineType),
                Table.Cell(machine.launch.qemuVersion.map { String($0) }.joined(separator: ".")),
                Table.Cell(machine.monitor)
            )
        }
        if !table.isEmpty {
            terminal.print()
            terminal.print(table)
        }
        if let triggers = detail.triggers {
            terminal.print()
            terminal.print(triggerTable(triggers))
        }
        let logs = detail.machines.compactMap { machine in machine.log.map { (machine.name, $0) } }
        if !logs.isEmpty { terminal.print() }
        for (name, log) in logs { terminal.print("log of \(name): \(log)") }
        for machine in detail.machines {
            for socket in machine.serialSockets { terminal.print("serial line of \(machine.name): \(socket)") }
        }
        for problem in detail.problems { terminal.print(terminal.out.apply(.bad, "problem: \(problem)")) }
    }

    private func triggerTable(_ triggers: [TriggerReport]) -> Table {
        var table = Table(.left("WHEN"), .left("THEN"), .left("STATE"))
        for trigger in triggers {
            let met = trigger.met.map { " at \(TimeText.clock($0))" } ?? ""
            let problem = trigger.problem.map { ": \(Visible.text($0))" } ?? ""
            table.add(
                Table.Cell(Visible.text(trigger.when)),
                Table.Cell(Visible.text(trigger.what)),
                Table.Cell("\(trigger.phase.rawValue)\(trigger.phase == .armed ? "" : met)\(problem)")
            )
        }
        return table
    }

    private func show(_ detail: CheckpointDetail, _ terminal: Terminal) {
        let manifest = detail.manifest
        let name = "\(manifest.simulation)@\(manifest.name)"
        terminal.print(
            "\(terminal.out.apply(.strong, name)), suspended at \(TimeText.local(manifest.instant)) "
                + "(\(TimeText.relative(manifest.instant, to: .now)))"
        )
        if let origin = manifest.importedFrom {
            terminal.print(
                "imported; it was \(origin.simulation)@\(origin.name) on \(origin.hosts.joined(separator: ", "))"
            )
        }
        let parent = manifest.parent.map { "\($0.simulation ?? manifest.simulation)@\($0.name)" }
        terminal.print("grew from \(parent ?? "a start")\(detail.summary.origin == nil ? "" : ", as a clone")")
        if !detail.summary.labels.isEmpty { terminal.print("labels: \(LabelText.words(detail.summary.labels))") }
        if let note = detail.summary.note { terminal.print("note: \(note)") }
        terminal.print("\(TimeText.bytes(detail.summary.bytes)) in \(detail.folder)")
        terminal.print()
        var table = Table(
            .left("MACHINE"),
            .left("HOST"),
            .left("STOPPED AT"),
            .left("RAM"),
            .right("STATE"),
            .left("TYPE"),
            .left("RTC READ"),
            .left("DISKS")
        )
        for machine in manifest.machines {
            table.add(
                Table.Cell(machine.name),
                Table.Cell(machine.host),
                Table.Cell(TimeText.clock(machine.stoppedAt)),
                Table.Cell(machine.ramWay.rawValue),
                Table.Cell(TimeText.bytes(machine.state.bytes)),
                Table.Cell(machine.launch.pinnedMachineType),
                Table.Cell(machine.clock.rtcNs.map { TimeText.guest($0) } ?? ""),
                Table.Cell(machine.disks.map(\.id).joined(separator: ", "))
            )
        }
        terminal.print(table)
        if detail.summary.current { terminal.print("\n\(manifest.simulation) stands at this checkpoint now.") }
    }
}
