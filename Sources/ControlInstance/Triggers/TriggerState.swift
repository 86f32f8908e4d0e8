public import HypervisorAPI
public import Time

/// How far a trigger is.
public struct TriggerState: Codable, Hashable, Sendable {
    public enum Phase: String, Codable, Hashable, Sendable, CaseIterable {
        case armed
        /// Its condition was met, and it waits for its turn.
        case due
        /// What it does is under way.
        case begun
        case done
        case failed
    }

    public var phase: Phase
    /// When its condition was met.
    public var met: HostInstant?
    /// That it has begun.
    public var operation: OperationID?
    /// Why it failed, as a clause.
    public var problem: String?

    private enum CodingKeys: String, CodingKey {
        case phase, operation, problem
        case met = "metNs"
    }

    public init(
        _ phase: Phase = .armed,
        met: HostInstant? = nil,
        operation: OperationID? = nil,
        problem: String? = nil
    ) {
        self.phase = phase
        self.met = met
        self.operation = operation
        self.problem = problem
    }
}

extension TriggerState {
    /// What it did is over, and its simulation is free, only when its operation is not under way any more.
    func shown(besides live: Set<OperationID>) -> TriggerState {
        guard [.done, .failed].contains(phase), let operation, live.contains(operation) else { return self }
        return TriggerState(.begun, met: met, operation: operation)
    }
}
