public import GuestClock
public import Time

/// One step of an operation on one machine (or, without a machine, on the whole host).
public struct Stage: Codable, Hashable, Sendable {
    public var machine: String?
    /// `stop`, `save`, `fsync`, `digest`, `launch`, `load`, `patch`, `cont`, `resources`…
    public var name: String
    public var startedAt: HostInstant
    public var duration: Span
    public var bytes: UInt64?

    public init(machine: String? = nil, name: String, startedAt: HostInstant, duration: Span, bytes: UInt64? = nil) {
        self.machine = machine
        self.name = name
        self.startedAt = startedAt
        self.duration = duration
        self.bytes = bytes
    }
}

/// What a machine did while its RAM was written into a checkpoint that it was to survive.
public enum SavedWhile: String, Codable, Hashable, Sendable {
    /// It ran: QEMU saved each page before the guest could change it (`background-snapshot`).
    case running
    /// It stood still for all of it: this kernel or QEMU cannot do better with this machine's memory.
    case paused
}

/// What happened to one machine in one operation.
public struct MachineReport: Codable, Hashable, Sendable {
    public var name: String
    /// When the command left for the monitor.
    public var sentAt: HostInstant?
    /// QEMU's own STOP or RESUME stamp.
    public var happenedAt: HostInstant?
    /// ``happenedAt`` − instant; negative when early.
    public var lateness: Span?
    /// Of a checkpoint: QEMU's own RESUME stamp.
    public var continuedAt: HostInstant?
    /// Of a checkpoint.
    public var savedWhile: SavedWhile?
    /// At the instant: of a suspend what the clocks read when it stopped, of a resume what they read when it went on.
    public var clock: ClockState?
    /// Of a resume: what they read at the suspend.
    public var clockBefore: ClockState?
    public var ramWay: RAMWay?
    public var ramBytes: UInt64?
    /// Of a resume: the machine has a private view of the checkpoint's RAM, and what it writes is in no file.
    public var ramIsView: Bool
    public var stages: [Stage]
    /// Of a suspend: what was saved.
    public var saved: MachineCheckpoint?
    /// What the user should know: precision not to be had, clocks that cannot be controlled…
    public var notes: [String]

    public init(
        name: String,
        sentAt: HostInstant? = nil,
        happenedAt: HostInstant? = nil,
        lateness: Span? = nil,
        continuedAt: HostInstant? = nil,
        savedWhile: SavedWhile? = nil,
        clock: ClockState? = nil,
        clockBefore: ClockState? = nil,
        ramWay: RAMWay? = nil,
        ramBytes: UInt64? = nil,
        ramIsView: Bool = false,
        stages: [Stage] = [],
        saved: MachineCheckpoint? = nil,
        notes: [String] = []
    ) {
        self.name = name
        self.sentAt = sentAt
        self.happenedAt = happenedAt
        self.lateness = lateness
        self.continuedAt = continuedAt
        self.savedWhile = savedWhile
        self.clock = clock
        self.clockBefore = clockBefore
        self.ramWay = ramWay
        self.ramBytes = ramBytes
        self.ramIsView = ramIsView
        self.stages = stages
        self.saved = saved
        self.notes = notes
    }
}

/// What one hypervisor did in one operation, up to the point where it waits for `commit` or `rollback`.
public struct HypervisorReport: Codable, Hashable, Sendable {
    public enum Outcome: Codable, Hashable, Sendable {
        /// Suspend: all saved, paused and alive. Checkpoint: all saved, and they run. Start and resume: all run.
        case done
        /// The volley was not fired (too late, clock stepped): no machine was touched.
        case missed([Reason])
        /// Something failed after the instant; the machines wait for a rollback, paused but those of a checkpoint.
        case failed([Reason])
    }

    public var operation: OperationID
    public var kind: OperationKind
    public var host: String
    public var instant: HostInstant
    public var outcome: Outcome
    public var machines: [MachineReport]
    public var links: [LinkCheckpoint]
    /// How far the host's clock may be from the control instance's, or of that one's own host from true time; nil when nobody disciplines
    /// it, and so nobody knows.
    public var clockErrorBound: Span?
    public var notes: [String]

    public init(
        operation: OperationID,
        kind: OperationKind,
        host: String,
        instant: HostInstant,
        outcome: Outcome,
        machines: [MachineReport],
        links: [LinkCheckpoint] = [],
        clockErrorBound: Span? = nil,
        notes: [String] = []
    ) {
        self.operation = operation
        self.kind = kind
        self.host = host
        self.instant = instant
        self.outcome = outcome
        self.machines = machines
        self.links = links
        self.clockErrorBound = clockErrorBound
        self.notes = notes
    }
}

/// A machine as its hypervisor sees it now.
public struct MachineStatus: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        case running, paused, loading, saving, dead, unreachable
    }

    public var simulation: String
    public var name: String
    public var host: String
    public var state: State
    /// QEMU's own word for its run state, when it answers.
    public var runState: String?
    public var processID: Int32?
    public var adopted: Bool
    public var monitor: String
    public var serialSockets: [String]
    public var log: String?
    public var launch: LaunchRecord
    /// The operation that holds the machine now.
    public var operation: OperationID?

    public init(
        simulation: String,
        name: String,
        host: String,
        state: State,
        runState: String?,
        processID: Int32?,
        adopted: Bool,
        monitor: String,
        serialSockets: [String],
        log: String?,
        launch: LaunchRecord,
        operation: OperationID?
    ) {
        self.simulation = simulation
        self.name = name
        self.host = host
        self.state = state
        self.runState = runState
        self.processID = processID
        self.adopted = adopted
        self.monitor = monitor
        self.serialSockets = serialSockets
        self.log = log
        self.launch = launch
        self.operation = operation
    }
}

/// The clocks of one machine, read live.
public struct MachineClocks: Codable, Hashable, Sendable {
    public var machine: String
    public var readAt: HostInstant
    /// How long the machine stood still for it; zero with `pausing: false`.
    public var pause: Span
    public var clock: ClockState
    public var notes: [String]

    public init(machine: String, readAt: HostInstant, pause: Span, clock: ClockState, notes: [String] = []) {
        self.machine = machine
        self.readAt = readAt
        self.pause = pause
        self.clock = clock
        self.notes = notes
    }
}

/// An operation that a hypervisor has under way and about which it was never told commit or rollback.
public struct UndecidedOperation: Codable, Hashable, Sendable {
    public var operation: OperationID
    public var kind: OperationKind
    public var simulation: String
    public var machines: [String]
    /// Whether it has gone past the point of no return: a start or resume of which one machine runs, a suspend that was told to
    /// commit.
    public var happened: Bool

    public init(operation: OperationID, kind: OperationKind, simulation: String, machines: [String], happened: Bool) {
        self.operation = operation
        self.kind = kind
        self.simulation = simulation
        self.machines = machines
        self.happened = happened
    }
}

public struct QEMUBinary: Codable, Hashable, Sendable {
    public var path: String
    public var version: [Int]
    public var target: String
    public var sandbox: Bool

    public init(path: String, version: [Int], target: String, sandbox: Bool) {
        self.path = path
        self.version = version
        self.target = target
        self.sandbox = sandbox
    }
}

/// What a host can do, for `doctor` and for placement.
public struct HypervisorDescription: Codable, Hashable, Sendable {
    /// One finding of `doctor`.
    public struct Finding: Codable, Hashable, Sendable {
        public enum Level: String, Codable, Hashable, Sendable { case ok, notice, problem }
        public var level: Level
        public var subject: String
        public var message: String

        public init(level: Level, subject: String, message: String) {
            self.level = level
            self.subject = subject
            self.message = message
        }
    }

    public var host: String
    public var architecture: String
    public var binaries: [QEMUBinary]
    public var findings: [Finding]
    /// Whether machines can use KVM; nil: an agent of an older version does not tell.
    public var kvm: Bool?
    /// For checkpoints, on the disk of its state folder.
    public var freeBytes: UInt64?
    /// How far its clock may be from true time, as its discipline tells; nil: nobody disciplines it.
    public var clockErrorBound: Span?

    enum CodingKeys: String, CodingKey {
        case host, architecture, binaries, findings, kvm, freeBytes
        case clockErrorBound = "clockErrorBoundNs"
    }

    public init(
        host: String,
        architecture: String,
        binaries: [QEMUBinary],
        findings: [Finding],
        kvm: Bool? = nil,
        freeBytes: UInt64? = nil,
        clockErrorBound: Span? = nil
    ) {
        self.host = host
        self.architecture = architecture
        self.binaries = binaries
        self.findings = findings
        self.kvm = kvm
        self.freeBytes = freeBytes
        self.clockErrorBound = clockErrorBound
    }
}
