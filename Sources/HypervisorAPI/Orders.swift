public import GuestClock
public import Time

/// What a control instance asks a hypervisor to prepare.
public enum Order: Codable, Hashable, Sendable {
    case start(StartOrder)
    case suspend(SaveOrder)
    case checkpoint(SaveOrder)
    case resume(ResumeOrder)
}

/// Launch machines, paused, and let them all begin at the instant.
public struct StartOrder: Codable, Hashable, Sendable {
    public var operation: OperationID
    /// Only the machines, links and resources that are this host's.
    public var simulation: SimulationSpec
    public var instant: HostInstant?

    public init(operation: OperationID, simulation: SimulationSpec, instant: HostInstant?) {
        self.operation = operation
        self.simulation = simulation
        self.instant = instant
    }
}

/// Stop machines at the instant and save them. Of a suspend, they stay alive and paused until commit or rollback; of a checkpoint,
/// they go on together as soon as nothing that they do can change what is saved.
public struct SaveOrder: Codable, Hashable, Sendable {
    public var operation: OperationID
    public var simulation: String
    public var machines: [String]
    public var instant: HostInstant?
    /// Folder, not yet there, in which the hypervisor puts its files; the control instance adds the manifest.
    public var folder: String
    /// What ``folder`` is called once the checkpoint is whole, and for ever: where running machines find their frozen layers.
    public var finalFolder: String
    /// As in the simulation's ``SimulationSpec/clockErrorLimit``.
    public var clockErrorLimit: Span?

    public init(
        operation: OperationID,
        simulation: String,
        machines: [String],
        instant: HostInstant?,
        folder: String,
        finalFolder: String,
        clockErrorLimit: Span? = nil
    ) {
        self.operation = operation
        self.simulation = simulation
        self.machines = machines
        self.instant = instant
        self.folder = folder
        self.finalFolder = finalFolder
        self.clockErrorLimit = clockErrorLimit
    }
}

/// What becomes of a checkpoint's RAM when machines go on from it. Of RAM that is in a stream there is nothing to choose.
public enum RAMUse: String, Codable, Hashable, Sendable, CaseIterable {
    /// The checkpoint stays. Machines get RAM of their own where that costs nothing, or else a private view of the checkpoint's.
    case keep
    /// The checkpoint stays, and its RAM is copied: it takes as long as that does, and the next suspend copies nothing.
    case copy
    /// The machines go on with the checkpoint's own RAM, and nobody can go on from it again.
    case consume
    /// A private view: what the machines write is gone with them.
    case ephemeral
}

/// Load machines from a checkpoint, and let them all go on at the instant.
public struct ResumeOrder: Codable, Hashable, Sendable {
    public var operation: OperationID
    public var simulation: SimulationSpec
    public var machines: [MachineCheckpoint]
    public var links: [LinkCheckpoint]
    public var instant: HostInstant?
    /// The checkpoint's folder; nothing in it is ever written.
    public var folder: String
    public var policy: ClockPolicy
    public var scope: ClockScope
    public var ram: RAMUse

    public init(
        operation: OperationID,
        simulation: SimulationSpec,
        machines: [MachineCheckpoint],
        links: [LinkCheckpoint],
        instant: HostInstant?,
        folder: String,
        policy: ClockPolicy,
        scope: ClockScope,
        ram: RAMUse = .keep
    ) {
        self.ram = ram
        self.operation = operation
        self.simulation = simulation
        self.machines = machines
        self.links = links
        self.instant = instant
        self.folder = folder
        self.policy = policy
        self.scope = scope
    }
}

/// Take charge of a QEMU that somebody else started.
public struct AdoptOrder: Codable, Hashable, Sendable {
    public var simulation: String
    public var machine: String
    /// `unix:/path` or `tcp:host:port`.
    public var monitor: String

    public init(simulation: String, machine: String, monitor: String) {
        self.simulation = simulation
        self.machine = machine
        self.monitor = monitor
    }
}

/// The part of a checkpoint that one host keeps.
public struct StoredCheckpoint: Codable, Hashable, Sendable {
    public var folder: String
    public var machines: [MachineCheckpoint]
    public var links: [LinkCheckpoint]

    public init(folder: String, machines: [MachineCheckpoint], links: [LinkCheckpoint]) {
        self.folder = folder
        self.machines = machines
        self.links = links
    }
}

/// Make a checkpoint beside an old one, the same but for what its clocks read.
public struct ClockEditOrder: Codable, Hashable, Sendable {
    public var source: StoredCheckpoint
    /// Of the new one; not yet there.
    public var folder: String
    /// nil: they read what they read.
    public var policy: ClockPolicy?
    public var scope: ClockScope

    public init(source: StoredCheckpoint, folder: String, policy: ClockPolicy?, scope: ClockScope) {
        self.source = source
        self.folder = folder
        self.policy = policy
        self.scope = scope
    }
}
