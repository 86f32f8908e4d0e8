import HypervisorAPI
import Time

/// What hosts said of operations that nobody has decided for them.
struct UndecidedAnswers: Sendable {
    /// When the first was asked.
    var asked: HostInstant
    /// A host that does not answer is not in it.
    var byHost: [String: [UndecidedOperation]] = [:]

    /// Hosts that were asked before an instant, or at it, may have done since what they said they had not. One that is too near to
    /// tell them anything before it is no better.
    /// - Parameter margin: longer than a host takes to begin at its instant, or to hear a decision.
    func areStale(for instant: HostInstant, now: HostInstant, margin: Span) -> Bool {
        asked < instant + margin && instant < now + margin
    }

    func runsEverywhere(_ record: OperationRecord) -> Bool {
        record.hosts.allSatisfy { host in
            byHost[host]?.contains { $0.operation == record.id && $0.happened } ?? false
        }
    }
}
