import ArgumentParser
import ControlInstance
import GuestClock
import HypervisorAPI
import Time

/// An operation's result for people: what happened, to which machine, how precisely; or why not.
struct OperationText {
    private let report: OperationReport

    init(_ report: OperationReport) { self.report = report }

    /// Prints it, unless the JSON lines already did, and ends the verb with the result's exit code.
    func finish(_ session: Session) throws {
        if !session.global.json {
            if report.outcome == .done { writeDone(session.terminal) } else { writeFailure(session.terminal) }
        }
        if report.exitCode != 0 { throw ExitCode(Int32(truncatingIfNeeded: report.exitCode)) }
    }

    private var origin: String { report.origin.map { " from \($0)" } ?? "" }

    private var name: String { report.checkpoint.map { "\(report.simulation)@\($0)" } ?? report.simulation }

    private func writeDone(_ terminal: Terminal) {
        let at = report.deadline.map { " at \(TimeText.local($0))" } ?? ""
        terminal.print("\(terminal.out.apply(.good, headline))\(at)")
        terminal.print()
        terminal.print(machines)
        terminal.print()
        if let spread = report.spread, report.machines.count > 1 {
            let severalHosts = Set(report.machines.map(\.host)).count > 1
            let unknown = severalHosts ? "; how far the hosts' clocks are apart is not known" : ""
            let doubt =
                report.clockErrorBound.map {
                    ", known to \(TimeText.span($0)): the hosts' clocks may be that far apart"
                }
                ?? unknown
            let what = report.kind.saves ? "stop" : "start"
            terminal.print(
                "spread from the first machine's \(what) to the last one's: \(TimeText.span(spread))\(doubt)"
            )
        }
        if report.kind == .resume, let policy = report.policy {
            let scope = report.scope == .all ? ", clocksource included" : ""
            terminal.print("clock: \(PolicyText.words(policy))\(scope)")
        }
        if let kept = report.kept { terminal.print("what ran before is kept as \(report.simulation)@\(kept)") }
        writeNotes(terminal)
        if let next { terminal.print(terminal.out.apply(.faint, "next: \(next)")) }
    }

    private var headline: String {
        switch report.kind {
        case .start: "\(report.simulation) runs, all machines started"
        case .suspend: "\(report.simulation) suspended to \(name), all machines stopped"
        case .checkpoint: "\(report.simulation) saved as \(name), all machines stopped together and run on"
        case .resume where report.origin != nil:
            "\(report.simulation) cloned\(origin), all machines went on"
        case .resume:
            "\(report.simulation) resumed\(report.checkpoint.map { " from \(report.simulation)@\($0)" } ?? ""), all machines went on"
        }
    }

    private var next: String? {
        switch report.kind {
        case .start: "fermata suspend \(report.simulation)"
        case .suspend: "fermata resume \(report.simulation)   (or with --clock host, --clock +1h…)"
        case .checkpoint: "fermata log \(report.simulation)"
        case .resume: nil
        }
    }

    private var machines: Table {
        var table = Table(
            .left("MACHINE"),
            .left("HOST"),
            .left(instantTitle),
            .right("LATE BY"),
            .right("PAUSE"),
            .left("RAM"),
            .right("SAVE"),
            .left("RTC BEFORE"),
            .left(report.kind.saves ? "RTC" : "RTC AFTER"),
            .left("KVMCLOCK"),
            .left("VIRTUAL CLOCK")
        )
        let hosts = Set(report.machines.map(\.host))
        for machine in report.machines {
            let after = machine.clockAfter ?? machine.clock
            table.add(
                Table.Cell(machine.name, .strong),
                Table.Cell(hosts.count > 1 ? machine.host : ""),
                Table.Cell((machine.stoppedAt ?? machine.resumedAt).map { TimeText.clock($0) } ?? ""),
                Table.Cell(machine.lateness.map { TimeText.lateness($0) } ?? ""),
                Table.Cell(machine.pause.map { TimeText.span($0) } ?? ""),
                Table.Cell(machine.ram.map(Self.words) ?? ""),
                Table.Cell(Self.saveTime(machine)),
                Table.Cell(machine.clockBefore?.rtcNs.map { TimeText.guest($0) } ?? ""),
                Table.Cell(after?.rtcNs.map { TimeText.guest($0) } ?? ""),
                Table.Cell(after?.kvmclockNs.map { "\(TimeText.seconds($0)) s" } ?? ""),
                Table.Cell(after?.virtualNs.map { "\(TimeText.seconds($0)) s" } ?? "")
            )
        }
        return table
    }

    private var instantTitle: String {
        switch report.kind {
        case .start: "STARTED AT"
        case .suspend, .checkpoint: "STOPPED AT"
        case .resume: "RESUMED AT"
        }
    }

    private static func words(_ ram: OperationReport.RAM) -> String {
        ram.way.rawValue + (ram.bytes.map { ", \(TimeText.bytes($0))" } ?? "") + (ram.isView == true ? " (view)" : "")
    }

    private static func saveTime(_ machine: OperationReport.MachineResult) -> String {
        machine.stages.first { $0.name == "save" }.map { TimeText.span($0.duration) } ?? ""
    }

    private func writeNotes(_ terminal: Terminal) {
        for note in report.notes { terminal.print("\(terminal.out.apply(.warning, "note:")) \(note)") }
        for machine in report.machines {
            for note in machine.notes {
                terminal.print("\(terminal.out.apply(.warning, "note:")) \(machine.name): \(note)")
            }
        }
    }

    func writeFailure(_ terminal: Terminal) {
        terminal.note("\(terminal.error.apply(.bad, "fermata:")) \(failure)")
        for reason in report.reasons { terminal.note("  - \(reason)") }
        for note in report.notes { terminal.note("  note: \(note)") }
        if report.kind == .resume, let hint = MovingHint.text(for: report.reasons, resuming: name) {
            terminal.note("  hint: \(hint)")
        }
        terminal.note("  operation \(report.operation)")
    }

    private var failure: String {
        let verb =
            switch report.kind {
            case .start: "up of \(report.simulation)"
            case .checkpoint: "checkpoint of \(report.simulation)"
            case .suspend: "suspend of \(report.simulation)"
            case .resume where report.origin != nil: "clone \(report.simulation)\(origin)"
            case .resume: "resume of \(name)"
            }
        if report.reasons.contains(where: { $0.code == "rewind-incomplete" }) {
            return "\(verb), which a rewind ends with, was not done (\(report.outcome.rawValue)):"
        }
        return switch report.outcome {
        case .done: "\(verb): done"
        case .failed: "\(verb) failed; everything is as before:"
        case .refused: "\(verb) refused; nothing happened:"
        case .missed: "\(verb): the instant was missed; rolled back, everything goes on as before:"
        case .unknown: "\(verb): its outcome is not known; look at 'fermata show \(report.simulation)':"
        case .corrupt: "\(verb): the checkpoint is corrupt or does not fit; nothing happened:"
        case .unsynchronised: "\(verb) refused: the hosts' clocks are not synchronised well enough:"
        case .cancelled: "\(verb) cancelled; everything is as before"
        }
    }
}
