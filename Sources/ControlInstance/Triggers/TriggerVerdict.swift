import HypervisorAPI

/// What the end of an operation is to the trigger that began it.
enum TriggerVerdict: Hashable, Sendable {
    /// With that problem; nil: it was done.
    case ended(String?)
    /// The instant had passed: it may be taken again.
    case missed
    /// By somebody, or by a daemon that ended.
    case cancelled(String)
    /// By the end of its daemon alone: it was undone, and can be done anew.
    case interrupted
    /// Not known yet: it is settled again and again, and followed again then.
    case unknown
}

extension OperationReport {
    /// That are no reason against doing it anew.
    private static let interruptions: Set<String> = ["interrupted", "host-no-answer", "host-unreachable"]

    var verdict: TriggerVerdict {
        let why = reasons.map(\.description).joined(separator: "; ")
        let problem = "operation \(operation) ended as \(outcome.rawValue)\(why.isEmpty ? "" : ": \(why)")"
        let codes = Set(reasons.map(\.code))
        return switch outcome {
        case .done: .ended(nil)
        case .missed: .missed
        case .unknown: .unknown
        case .cancelled: .cancelled(problem)
        default:
            codes.contains("interrupted") && codes.isSubset(of: Self.interruptions) ? .interrupted : .ended(problem)
        }
    }
}
