public import HypervisorAPI
public import Time

/// An operation, under way or over.
public struct OperationDetail: Codable, Hashable, Sendable {
    public var operation: OperationID
    public var kind: OperationKind
    public var simulation: String
    public var checkpoint: String?
    /// The trigger that began it, in words; nil: somebody did.
    public var trigger: String?
    public var phase: OperationPhase
    public var deadline: HostInstant?
    public var started: HostInstant
    public var finished: HostInstant?
    /// nil while it is under way.
    public var report: OperationReport?

    enum CodingKeys: String, CodingKey {
        case operation, kind, simulation, checkpoint, trigger, phase
        case deadline = "deadlineNs"
        case started = "startedNs"
        case finished = "finishedNs"
        case report
    }

    init(_ record: OperationRecord) {
        operation = record.id
        kind = record.kind
        simulation = record.simulation
        checkpoint = record.checkpoint
        trigger = record.trigger
        phase = record.state.phase
        deadline = record.state.instant
        started = record.started
        finished = record.finished
        report = record.report
    }
}
