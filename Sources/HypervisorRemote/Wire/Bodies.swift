import HypervisorAPI
import Time

/// Of a call that needs, or gives, no more than that it was made: `{}`.
struct Nothing: Codable, Sendable {}

struct MachinesQuestion: Codable, Sendable {
    /// nil: of all.
    var simulation: String?
}

struct Execution: Codable, Sendable {
    var handle: Handle
    /// On the host's clock.
    var instant: HostInstant
}

struct Rollback: Codable, Sendable {
    var operation: OperationID
    /// On the host's clock.
    var continueAt: HostInstant
}

struct Move: Codable, Sendable {
    var folder: String
    var final: String
}

struct ClocksQuestion: Codable, Sendable {
    var simulation: String
    var pausing: Bool
}

struct EventQuestion: Codable, Sendable {
    var machine: MachinePlace
    /// nil: of what there is all, at once.
    var after: EventMark?
}

struct LeftoversQuestion: Codable, Sendable {
    var simulations: [String]
    var removing: Bool
}

/// Why a call was not carried out. Body of every answer with a status of 400 and above.
struct Refusal: Codable, Sendable {
    var reasons: [Reason]
}
