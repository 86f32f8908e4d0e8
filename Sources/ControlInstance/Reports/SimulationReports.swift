public import GuestClock
public import HypervisorAPI
public import Time

/// What a simulation is doing.
public enum SimulationState: String, Codable, Hashable, Sendable, CaseIterable {
    case starting, running, suspending, checkpointing, suspended, resuming
    /// No machines, nothing to resume unless a checkpoint is named.
    case down
    /// The last operation's outcome is unknown: see its reasons; `down` ends whatever is left.
    case unknown
}

/// One line of `ps`.
public struct SimulationSummary: Codable, Hashable, Sendable {
    public var simulation: String
    public var state: SimulationState
    /// The checkpoint that it was last suspended to or resumed from.
    public var checkpoint: String?
    /// Of a clone: what it went on from.
    public var origin: Origin?
    public var machines: [String]
    /// The operation that is under way or unresolved.
    public var operation: OperationID?
    /// Another control instance with the same state database, which changes it now.
    public var driver: String?
    public var created: HostInstant

    enum CodingKeys: String, CodingKey {
        case simulation, state, checkpoint, origin, machines, operation, driver
        case created = "createdNs"
    }

    public init(
        simulation: String,
        state: SimulationState,
        checkpoint: String?,
        origin: Origin? = nil,
        machines: [String],
        operation: OperationID?,
        driver: String? = nil,
        created: HostInstant
    ) {
        self.simulation = simulation
        self.state = state
        self.checkpoint = checkpoint
        self.origin = origin
        self.machines = machines
        self.operation = operation
        self.driver = driver
        self.created = created
    }
}

/// A simulation and its machines as their hypervisors see them now.
public struct SimulationDetail: Codable, Hashable, Sendable {
    public var summary: SimulationSummary
    public var spec: SimulationSpec
    public var machines: [MachineStatus]
    /// In the order of the spec's; nil: it has none.
    public var triggers: [TriggerReport]?
    /// Machines that should run and that no hypervisor has, unreachable hosts…
    public var problems: [Reason]

    private enum CodingKeys: String, CodingKey { case machines, spec, triggers, problems }

    public init(
        summary: SimulationSummary,
        spec: SimulationSpec,
        machines: [MachineStatus],
        triggers: [TriggerReport]? = nil,
        problems: [Reason]
    ) {
        self.summary = summary
        self.spec = spec
        self.machines = machines
        self.triggers = triggers
        self.problems = problems
    }

    /// The summary's keys lie beside the others; `machines` is the list of statuses instead of the list of names.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        machines = try container.decode([MachineStatus].self, forKey: .machines)
        spec = try container.decode(SimulationSpec.self, forKey: .spec)
        triggers = try container.decodeIfPresent([TriggerReport].self, forKey: .triggers)
        problems = try container.decode([Reason].self, forKey: .problems)
        let head = try decoder.container(keyedBy: SimulationSummary.CodingKeys.self)
        summary = SimulationSummary(
            simulation: try head.decode(String.self, forKey: .simulation),
            state: try head.decode(SimulationState.self, forKey: .state),
            checkpoint: try head.decodeIfPresent(String.self, forKey: .checkpoint),
            origin: try head.decodeIfPresent(Origin.self, forKey: .origin),
            machines: machines.map(\.name),
            operation: try head.decodeIfPresent(OperationID.self, forKey: .operation),
            driver: try head.decodeIfPresent(String.self, forKey: .driver),
            created: try head.decode(HostInstant.self, forKey: .created)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var head = encoder.container(keyedBy: SimulationSummary.CodingKeys.self)
        try head.encode(summary.simulation, forKey: .simulation)
        try head.encode(summary.state, forKey: .state)
        try head.encodeIfPresent(summary.checkpoint, forKey: .checkpoint)
        try head.encodeIfPresent(summary.origin, forKey: .origin)
        try head.encodeIfPresent(summary.operation, forKey: .operation)
        try head.encodeIfPresent(summary.driver, forKey: .driver)
        try head.encode(summary.created, forKey: .created)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(machines, forKey: .machines)
        try container.encode(spec, forKey: .spec)
        try container.encodeIfPresent(triggers, forKey: .triggers)
        try container.encode(problems, forKey: .problems)
    }
}

/// The result of `down`.
public struct DownReport: Codable, Hashable, Sendable {
    public var simulation: String
    /// What it was before.
    public var before: SimulationState
    /// Machines that were ended or, adopted ones, let go.
    public var machines: [String]

    public init(simulation: String, before: SimulationState, machines: [String]) {
        self.simulation = simulation
        self.before = before
        self.machines = machines
    }
}

/// What the clocks of a simulation's machines read, live or in a checkpoint.
public struct ClockReport: Codable, Hashable, Sendable {
    public struct Machine: Codable, Hashable, Sendable {
        public var name: String
        /// Live: when it was read. In a checkpoint: QEMU's STOP stamp.
        public var readAt: HostInstant
        /// How long the machine stood still for it.
        public var pause: Span
        public var clock: ClockState
        public var notes: [String]

        enum CodingKeys: String, CodingKey {
            case name
            case readAt = "readAtNs"
            case pause = "pauseNs"
            case clock, notes
        }

        public init(name: String, readAt: HostInstant, pause: Span, clock: ClockState, notes: [String]) {
            self.name = name
            self.readAt = readAt
            self.pause = pause
            self.clock = clock
            self.notes = notes
        }
    }

    public var simulation: String
    /// nil: read live.
    public var checkpoint: String?
    public var machines: [Machine]

    public init(simulation: String, checkpoint: String?, machines: [Machine]) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.machines = machines
    }
}

/// The result of `doctor`.
public struct DoctorReport: Codable, Hashable, Sendable {
    public var home: String
    public var hosts: [HypervisorDescription]
    /// About the control instance itself: its database, checkpoints, operations.
    public var findings: [HypervisorDescription.Finding]

    public init(home: String, hosts: [HypervisorDescription], findings: [HypervisorDescription.Finding]) {
        self.home = home
        self.hosts = hosts
        self.findings = findings
    }

    /// Whether nothing is at level `problem`.
    public var isHealthy: Bool {
        !(findings + hosts.flatMap(\.findings)).contains { $0.level == .problem }
    }
}

/// What ``ControlInstance/recover()`` found and did.
public struct RecoveryReport: Codable, Hashable, Sendable {
    public var operations: [OperationReport]
    /// Folders of checkpoints that never became whole, now removed.
    public var removedFolders: [String]
    /// Checkpoints on disk that the database did not know, now in it, as `SIM@NAME`.
    public var foundCheckpoints: [String]
    public var problems: [Reason]

    public init(
        operations: [OperationReport] = [],
        removedFolders: [String] = [],
        foundCheckpoints: [String] = [],
        problems: [Reason] = []
    ) {
        self.operations = operations
        self.removedFolders = removedFolders
        self.foundCheckpoints = foundCheckpoints
        self.problems = problems
    }
}
