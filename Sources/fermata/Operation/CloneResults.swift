import ArgumentParser
import ControlInstance
import HypervisorAPI

/// How several clones ended, as `--count` tells it: a line each, the reasons of those that failed, and what all have in common once.
struct CloneResults {
    private let reports: [OperationReport]

    init(_ reports: [OperationReport]) { self.reports = reports }

    /// - Throws: the exit code of the worst.
    func finish(_ session: Session) throws {
        if session.global.json {
            try session.showJSON(Line(clones: reports.map { Line.Clone($0) }, exitCode: worst))
        } else {
            write(session.terminal)
        }
        if worst != 0 { throw ExitCode(Int32(truncatingIfNeeded: worst)) }
    }

    /// The last line of `--json`; the results of the clones themselves stand above it.
    private struct Line: Encodable {
        struct Clone: Encodable {
            let simulation: String
            let operation: OperationID
            let outcome: OperationOutcome
            let exitCode: Int

            init(_ report: OperationReport) {
                simulation = report.simulation
                operation = report.operation
                outcome = report.outcome
                exitCode = report.exitCode
            }
        }

        let event = "result"
        let clones: [Clone]
        let exitCode: Int
    }

    /// From what needs an operator to what only was not wanted any more.
    private static let severity = [5, 6, 1, 4, 7, 3, 130]

    private var worst: Int {
        let codes = Set(reports.map(\.exitCode)).subtracting([0])
        return Self.severity.first { codes.contains($0) } ?? codes.first ?? 0
    }

    private func write(_ terminal: Terminal) {
        for report in reports where report.outcome == .done {
            let at = report.deadline.map { " since \(TimeText.local($0))" } ?? ""
            terminal.print("\(terminal.out.apply(.good, report.simulation)) runs\(at)")
        }
        for report in reports where report.outcome != .done { OperationText(report).writeFailure(terminal) }
        var told: Set<String> = []
        for note in reports.flatMap(\.notes) where told.insert(note).inserted {
            terminal.print("\(terminal.out.apply(.warning, "note:")) \(note)")
        }
    }
}
