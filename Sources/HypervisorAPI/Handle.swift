public import Time

/// One run of an operation, the same id on every hypervisor, in the journal, the database and the logs.
public struct OperationID: Hashable, Codable, Sendable, CustomStringConvertible {
    public var text: String

    public init(text: String) { self.text = text }

    public init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public var description: String { text }
}

/// A hypervisor's promise: it can do that operation with those machines. Single use; a hypervisor refuses one that it does
/// not know, has seen before, that has expired, or that differs in any field from what it gave out.
public struct Handle: Codable, Hashable, Sendable {
    /// 128 random bits, lower-case hex.
    public var token: String
    public var operation: OperationID
    public var kind: OperationKind
    public var simulation: String
    public var machines: [String]
    /// The instant that the request named; nil when it left it to ``earliest``.
    public var instant: HostInstant?
    /// now + required time + expected delay, as the hypervisor reckoned it.
    public var earliest: HostInstant
    public var expires: HostInstant

    public init(
        token: String,
        operation: OperationID,
        kind: OperationKind,
        simulation: String,
        machines: [String],
        instant: HostInstant?,
        earliest: HostInstant,
        expires: HostInstant
    ) {
        self.token = token
        self.operation = operation
        self.kind = kind
        self.simulation = simulation
        self.machines = machines
        self.instant = instant
        self.earliest = earliest
        self.expires = expires
    }
}

public enum OperationKind: String, Codable, Hashable, Sendable, CaseIterable {
    /// Machines start from nothing (`up`).
    case start
    case suspend
    /// Saved at one instant, and on at a second one milliseconds later.
    case checkpoint
    case resume

    /// Whether it makes a checkpoint of machines that run.
    public var saves: Bool { self == .suspend || self == .checkpoint }
}

/// Why something cannot be done: a sentence for people and a stable code for programs.
public struct Reason: Codable, Hashable, Sendable, CustomStringConvertible {
    /// Kebab-case, e.g. `instant-too-near`, `machine-not-running`; listed in docs/errors.md.
    public var code: String
    public var machine: String?
    public var message: String

    public init(code: String, machine: String? = nil, message: String) {
        self.code = code
        self.machine = machine
        self.message = message
    }

    public var description: String { machine.map { "\($0): \(message)" } ?? message }
}

/// The answer to "can you do this at that time?".
public enum PrepareAnswer: Codable, Hashable, Sendable {
    case ready(Handle)
    /// The invalid handle: every reason, not only the first.
    case refused([Reason])
}

public struct HypervisorError: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    public var reasons: [Reason]

    public init(_ reasons: [Reason]) { self.reasons = reasons }

    public init(code: String, machine: String? = nil, message: String) {
        reasons = [Reason(code: code, machine: machine, message: message)]
    }

    public var description: String { reasons.map(\.description).joined(separator: "; ") }

    public static let cancelled = HypervisorError(code: "cancelled", message: "it was called off")
}
