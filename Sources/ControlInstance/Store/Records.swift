public import HypervisorAPI
public import Time

/// A simulation as the state database keeps it.
public struct SimulationRecord: Codable, Hashable, Sendable {
    public var name: String
    /// The state between operations; the state during one follows from the operation.
    public var state: SimulationState
    public var spec: SimulationSpec
    public var machines: [MachineRecord]
    /// Name of the checkpoint it stands at.
    public var checkpoint: String?
    /// Of a clone. It stands there as long as it stands at no checkpoint of its own.
    public var origin: Origin?
    public var created: HostInstant

    public init(
        name: String,
        state: SimulationState,
        spec: SimulationSpec,
        machines: [MachineRecord],
        checkpoint: String?,
        origin: Origin? = nil,
        created: HostInstant
    ) {
        self.name = name
        self.state = state
        self.spec = spec
        self.machines = machines
        self.checkpoint = checkpoint
        self.origin = origin
        self.created = created
    }
}

/// Where a machine lives.
public struct MachineRecord: Codable, Hashable, Sendable {
    public var name: String
    public var host: String
    public var adopted: Bool

    public init(name: String, host: String, adopted: Bool) {
        self.name = name
        self.host = host
        self.adopted = adopted
    }
}

/// An operation as the state database keeps it.
public struct OperationRecord: Hashable, Sendable {
    public var id: OperationID
    public var kind: OperationKind
    public var simulation: String
    /// Of a suspend the one that is made, of a resume the one that is resumed from.
    public var checkpoint: String?
    public var hosts: [String]
    /// The simulation as it is to be remembered when the operation is committed: a recovery must not have to guess it.
    public var target: SimulationRecord
    /// The trigger that began it, in words; nil: somebody did.
    public var trigger: String?
    public var state: OperationState
    public var started: HostInstant
    public var finished: HostInstant?
    /// Of a finished operation, or of one whose outcome is unknown.
    public var report: OperationReport?

    public init(
        id: OperationID,
        kind: OperationKind,
        simulation: String,
        checkpoint: String?,
        hosts: [String],
        target: SimulationRecord,
        trigger: String? = nil,
        state: OperationState,
        started: HostInstant,
        finished: HostInstant? = nil,
        report: OperationReport? = nil
    ) {
        self.id = id
        self.kind = kind
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.hosts = hosts
        self.target = target
        self.trigger = trigger
        self.state = state
        self.started = started
        self.finished = finished
        self.report = report
    }
}

/// A checkpoint as the state database keeps it: an index of the manifests on disk, which are the truth.
public struct CheckpointRecord: Codable, Hashable, Sendable {
    public var id: String
    public var simulation: String
    public var name: String
    /// Name of the parent, as long as it exists; removing a parent hands its children to its own parent.
    public var parent: String?
    /// Of a clone's checkpoint that has no parent of its own simulation.
    public var origin: Origin?
    public var operation: OperationID
    public var instant: HostInstant
    public var created: HostInstant
    public var machines: [String]
    public var bytes: UInt64
    public var annotations: Annotations
    /// The other control instance whose state folder has it; nil: this one's.
    public var keeper: String?

    public init(
        id: String,
        simulation: String,
        name: String,
        parent: String?,
        origin: Origin? = nil,
        operation: OperationID,
        instant: HostInstant,
        created: HostInstant,
        machines: [String],
        bytes: UInt64,
        annotations: Annotations = .none,
        keeper: String? = nil
    ) {
        self.id = id
        self.simulation = simulation
        self.name = name
        self.parent = parent
        self.origin = origin
        self.operation = operation
        self.instant = instant
        self.created = created
        self.machines = machines
        self.bytes = bytes
        self.annotations = annotations
        self.keeper = keeper
    }

    init(_ manifest: CheckpointManifest, _ annotations: Annotations = .none) {
        self.init(
            id: manifest.id,
            simulation: manifest.simulation,
            name: manifest.name,
            parent: manifest.origin == nil ? manifest.parent?.name : nil,
            origin: manifest.origin,
            operation: manifest.operation,
            instant: manifest.instant,
            created: manifest.created,
            machines: manifest.machines.map(\.name),
            bytes: manifest.bytes,
            annotations: annotations
        )
    }
}
