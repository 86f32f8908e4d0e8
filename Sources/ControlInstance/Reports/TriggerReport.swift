public import HypervisorAPI
public import Time

/// A trigger, and how far it is.
public struct TriggerReport: Codable, Hashable, Sendable {
    /// In words: `server says /login:/`.
    public var when: String
    /// In words: `checkpoint booted`.
    public var what: String
    /// nil: none in particular.
    public var machine: String?
    public var phase: TriggerState.Phase
    /// When its condition was met.
    public var met: HostInstant?
    /// That it has begun.
    public var operation: OperationID?
    /// Why it failed, as a clause.
    public var problem: String?

    private enum CodingKeys: String, CodingKey {
        case when, what, machine, phase, operation, problem
        case met = "metNs"
    }

    init(_ spec: TriggerSpec, _ state: TriggerState) {
        when = spec.when
        what = spec.what
        machine = spec.machine
        phase = state.phase
        met = state.met
        operation = state.operation
        problem = state.problem
    }
}
