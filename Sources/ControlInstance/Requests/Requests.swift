public import GuestClock
public import HypervisorAPI

/// Start a simulation's machines together.
public struct UpRequest: Codable, Hashable, Sendable {
    public var spec: SimulationSpec
    public var when: When
    /// What it is recorded as; nil: by any id that is new.
    public var operation: OperationID?

    public init(spec: SimulationSpec, when: When = .asap, operation: OperationID? = nil) {
        self.spec = spec
        self.when = when
        self.operation = operation
    }
}

/// Stop a simulation at one instant and save it; a suspend then ends its machines, a checkpoint lets them go on.
public struct SaveRequest: Codable, Hashable, Sendable {
    public var simulation: String
    /// nil: the next free of `s1`, `s2`…
    public var checkpoint: String?
    public var when: When
    public var annotations: Annotations
    /// What it is recorded as; nil: by any id that is new.
    public var operation: OperationID?
    /// The trigger that wants it, in words; nil: somebody does.
    var trigger: String?

    public init(
        simulation: String,
        checkpoint: String? = nil,
        when: When = .asap,
        annotations: Annotations = .none,
        operation: OperationID? = nil
    ) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.when = when
        self.annotations = annotations
        self.operation = operation
    }
}

/// Let a simulation go on from a checkpoint.
public struct ResumeRequest: Codable, Hashable, Sendable {
    public var simulation: String
    /// nil: the one that it was suspended to.
    public var checkpoint: String?
    public var when: When
    /// nil: the simulation's own.
    public var policy: ClockPolicy?
    public var scope: ClockScope
    public var ram: RAMUse
    /// What it is recorded as; nil: by any id that is new.
    public var operation: OperationID?

    public init(
        simulation: String,
        checkpoint: String? = nil,
        when: When = .asap,
        policy: ClockPolicy? = nil,
        scope: ClockScope = .rtc,
        ram: RAMUse = .keep,
        operation: OperationID? = nil
    ) {
        self.ram = ram
        self.operation = operation
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.when = when
        self.policy = policy
        self.scope = scope
    }
}

/// Take charge of a QEMU that somebody else started, as a machine of a simulation (new, or of adopted machines already).
public struct AdoptRequest: Codable, Hashable, Sendable {
    public var simulation: String
    public var machine: String
    /// `unix:/path` or `tcp:host:port`.
    public var monitor: String
    /// nil: the control instance's own.
    public var host: String?

    public init(simulation: String, machine: String, monitor: String, host: String? = nil) {
        self.simulation = simulation
        self.machine = machine
        self.monitor = monitor
        self.host = host
    }
}

/// Make a checkpoint beside an old one that differs only in what its clocks read.
public struct ClockEditRequest: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoint: String
    /// Name of the new one; nil: the next free of `s1`, `s2`…
    public var newCheckpoint: String?
    public var policy: ClockPolicy
    public var scope: ClockScope

    public init(
        simulation: String,
        checkpoint: String,
        newCheckpoint: String? = nil,
        policy: ClockPolicy,
        scope: ClockScope = .rtc
    ) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.newCheckpoint = newCheckpoint
        self.policy = policy
        self.scope = scope
    }
}

/// Make a checkpoint beside an old one of which machines lie on other hosts.
public struct MoveRequest: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoint: String
    /// Name of the new one; nil: the next free of `s1`, `s2`…
    public var newCheckpoint: String?
    /// Where machines go: names of hosts, by machine. The others stay where they are.
    public var hosts: [String: String]
    /// QEMU binaries to use there, as ``ImportRequest/binaries``.
    public var binaries: [String]

    public init(
        simulation: String,
        checkpoint: String,
        newCheckpoint: String? = nil,
        hosts: [String: String],
        binaries: [String] = []
    ) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.newCheckpoint = newCheckpoint
        self.hosts = hosts
        self.binaries = binaries
    }
}
