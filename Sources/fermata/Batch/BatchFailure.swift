import ControlInstance
import HypervisorAPI

/// An operation of a batch that was not done.
struct BatchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ report: OperationReport) {
        let reasons = report.reasons.map(\.description).joined(separator: "; ")
        description =
            "\(report.kind.rawValue) of \(report.simulation): \(reasons.isEmpty ? report.outcome.rawValue : reasons)"
    }
}
