public import Time

/// How far an operation is.
public enum OperationPhase: String, Codable, Hashable, Sendable, CaseIterable {
    /// The hypervisors are asked; nothing has happened to any machine.
    case preparing
    /// All are ready, and the instant is chosen.
    case prepared
    /// Hypervisors are being armed, or are; what they do at the instant they do by themselves.
    case armed
    /// All have reported that it was done.
    case happened
    /// Commit or rollback is decided, and being told.
    case deciding
    case finished
}

/// The durable part of an operation's course, as a value: every transition is here, nothing else is.
///
/// Written to the database at each step *before* the step's messages are sent, so that after a crash it never claims less
/// than what hypervisors may have been told.
public struct OperationState: Codable, Hashable, Sendable {
    public enum Decision: String, Codable, Hashable, Sendable { case commit, rollback }

    /// A step that is not possible from where the operation is.
    struct WrongStep: Error, CustomStringConvertible {
        var step: String
        var phase: OperationPhase
        var description: String { "an operation that is \(phase.rawValue) cannot \(step)" }
    }

    public private(set) var phase: OperationPhase
    /// From `prepared` on.
    public private(set) var instant: HostInstant?
    /// From `deciding` on; nil of an operation that finished without anything to decide.
    public private(set) var decision: Decision?
    /// Of a finished operation.
    public private(set) var outcome: OperationOutcome?

    init() { phase = .preparing }

    init(phase: OperationPhase, instant: HostInstant?, decision: Decision?, outcome: OperationOutcome?) {
        self.phase = phase
        self.instant = instant
        self.decision = decision
        self.outcome = outcome
    }

    /// All hypervisors are ready.
    mutating func prepare(for instant: HostInstant) throws(WrongStep) {
        try require(.preparing, for: "become ready")
        self.instant = instant
        phase = .prepared
    }

    /// The hypervisors are about to be armed. From here only a decision ends it.
    mutating func arm() throws(WrongStep) {
        try require(.prepared, for: "be armed")
        phase = .armed
    }

    /// Every hypervisor has done it.
    mutating func happen() throws(WrongStep) {
        try require(.armed, for: "happen")
        phase = .happened
    }

    /// Commit only what has happened everywhere; roll back from anywhere before a decision. Deciding the same again is
    /// harmless, so that a recovery can repeat it.
    mutating func decide(_ decision: Decision) throws(WrongStep) {
        switch (phase, decision) {
        case (.deciding, _) where self.decision == decision: return
        case (.happened, _), (.preparing, .rollback), (.prepared, .rollback), (.armed, .rollback): break
        default: throw WrongStep(step: "be decided (\(decision.rawValue))", phase: phase)
        }
        self.decision = decision
        phase = .deciding
    }

    /// Every hypervisor has carried the decision out, or nothing had to be decided.
    ///
    /// An outcome that is unknown is none: the operation stays `deciding`, and the next recovery repeats the decision.
    mutating func finish(_ outcome: OperationOutcome) throws(WrongStep) {
        switch (phase, decision, outcome) {
        case (.deciding, .commit, .done): break
        case (.deciding, .rollback, let outcome) where outcome != .done && outcome != .unknown: break
        case (.preparing, nil, let outcome) where outcome != .done && outcome != .unknown: break
        case (.prepared, nil, let outcome) where outcome != .done && outcome != .unknown: break
        default: throw WrongStep(step: "end as \(outcome.rawValue)", phase: phase)
        }
        self.outcome = outcome
        phase = .finished
    }

    private func require(_ expected: OperationPhase, for step: String) throws(WrongStep) {
        guard phase == expected else { throw WrongStep(step: step, phase: phase) }
    }
}
