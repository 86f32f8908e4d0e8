import HypervisorAPI

/// How an operation ended.
public enum OperationOutcome: String, Codable, Hashable, Sendable, CaseIterable {
    case done
    /// Everything is as before.
    case failed
    /// A hypervisor refused in prepare; nothing happened.
    case refused
    /// The instant passed before the machines could be told; rolled back.
    case missed
    /// A hypervisor does not answer, and what became of its machines is not known.
    case unknown
    /// The checkpoint is corrupt or does not fit.
    case corrupt
    /// Host clocks are not synchronised well enough.
    case unsynchronised
    /// Called off; rolled back.
    case cancelled

    public var exitCode: Int {
        switch self {
        case .done: 0
        case .failed: 1
        case .refused: 3
        case .missed: 4
        case .unknown: 5
        case .corrupt: 6
        case .unsynchronised: 7
        case .cancelled: 130
        }
    }

    /// Some reasons have an exit code of their own, whichever step they come up in.
    init(failureWith reasons: [Reason], otherwise outcome: OperationOutcome) {
        let corrupt = ["checkpoint-corrupt", "checkpoint-incompatible", "archive-corrupt"]
        if reasons.contains(where: { corrupt.contains($0.code) }) {
            self = .corrupt
        } else if reasons.contains(where: { $0.code == "clocks-not-synchronised" }) {
            self = .unsynchronised
        } else {
            self = outcome
        }
    }
}
