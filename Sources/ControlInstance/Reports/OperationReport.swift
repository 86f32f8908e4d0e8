public import GuestClock
public import HypervisorAPI
public import Time

/// What an operation did, as the outside contract words it: the result of `up`, `suspend`, `checkpoint` and `resume`.
public struct OperationReport: Codable, Hashable, Sendable {
    public var operation: OperationID
    public var kind: OperationKind
    public var simulation: String
    /// The one that was made or resumed from.
    public var checkpoint: String?
    /// The trigger that began it, in words; nil: somebody did.
    public var trigger: String?
    /// Of a clone: what it went on from.
    public var origin: Origin?
    /// Of a rewind: the checkpoint that what ran before was saved to.
    public var kept: String?
    public var outcome: OperationOutcome
    public var exitCode: Int
    /// Why it is not `done`; empty when it is.
    public var reasons: [Reason]
    /// The instant that all agreed on; nil when it never came to that.
    public var deadline: HostInstant?
    /// From the first to the last of the machines' own stamps.
    public var spread: Span?
    /// How far the hosts' clocks may be apart; the spread is known only that well.
    @ExplicitNull public var clockErrorBound: Span?
    /// Of a resume.
    public var policy: ClockPolicy?
    /// Of a resume.
    public var scope: ClockScope?
    public var machines: [MachineResult]
    /// Stages of whole hosts; those of machines are with the machines.
    public var stages: [Stage]
    /// What people should know: precision not to be had, clocks that cannot be controlled…
    public var notes: [String]
    /// In the order in which they ran; nil: none did.
    public var hooks: [HookReport]?
    public var started: HostInstant
    public var finished: HostInstant?

    enum CodingKeys: String, CodingKey {
        case operation, kind, simulation, checkpoint, trigger, origin, kept, outcome, exitCode, reasons
        case deadline = "deadlineNs"
        case spread = "spreadNs"
        case clockErrorBound = "clockErrorBoundNs"
        case policy, scope, machines, stages, notes, hooks
        case started = "startedNs"
        case finished = "finishedNs"
    }

    public init(
        operation: OperationID,
        kind: OperationKind,
        simulation: String,
        checkpoint: String? = nil,
        trigger: String? = nil,
        origin: Origin? = nil,
        kept: String? = nil,
        outcome: OperationOutcome,
        reasons: [Reason] = [],
        deadline: HostInstant? = nil,
        spread: Span? = nil,
        clockErrorBound: Span? = nil,
        policy: ClockPolicy? = nil,
        scope: ClockScope? = nil,
        machines: [MachineResult] = [],
        stages: [Stage] = [],
        notes: [String] = [],
        started: HostInstant,
        finished: HostInstant? = nil
    ) {
        self.operation = operation
        self.kind = kind
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.trigger = trigger
        self.origin = origin
        self.kept = kept
        self.outcome = outcome
        self.exitCode = outcome.exitCode
        self.reasons = reasons
        self.deadline = deadline
        self.spread = spread
        self.clockErrorBound = clockErrorBound
        self.policy = policy
        self.scope = scope
        self.machines = machines
        self.stages = stages
        self.notes = notes
        self.started = started
        self.finished = finished
    }

    /// One step of an operation.
    public struct Stage: Codable, Hashable, Sendable {
        public var machine: String?
        public var name: String
        public var started: HostInstant
        public var duration: Span
        public var bytes: UInt64?

        enum CodingKeys: String, CodingKey {
            case machine, name
            case started = "startedNs"
            case duration = "durationNs"
            case bytes
        }

        public init(machine: String?, name: String, started: HostInstant, duration: Span, bytes: UInt64?) {
            self.machine = machine
            self.name = name
            self.started = started
            self.duration = duration
            self.bytes = bytes
        }

        init(_ stage: HypervisorAPI.Stage) {
            self.init(
                machine: stage.machine,
                name: stage.name,
                started: stage.startedAt,
                duration: stage.duration,
                bytes: stage.bytes
            )
        }
    }

    /// How a machine's RAM was saved or loaded.
    public struct RAM: Codable, Hashable, Sendable {
        public var way: RAMWay
        public var bytes: UInt64?
        /// Of a resume: a private view of the checkpoint's RAM, which the next suspend has to write. Left out when it is not.
        public var isView: Bool?

        public init(way: RAMWay, bytes: UInt64?, isView: Bool? = nil) {
            self.way = way
            self.bytes = bytes
            self.isView = isView
        }
    }

    /// What happened to one machine.
    public struct MachineResult: Codable, Hashable, Sendable {
        public var name: String
        public var host: String
        /// QEMU's own STOP stamp, of a suspend or checkpoint.
        public var stoppedAt: HostInstant?
        /// QEMU's own RESUME stamp, of a start, resume or checkpoint.
        public var resumedAt: HostInstant?
        /// Of a checkpoint: how long the machine stood still.
        public var pause: Span?
        /// Of a checkpoint.
        public var savedWhile: SavedWhile?
        /// When the command left for the monitor.
        public var sentAt: HostInstant?
        /// The stamp minus the deadline; negative when early.
        public var lateness: Span?
        /// What the clocks read at the stamp.
        public var clock: ClockState?
        /// Of a resume: what they read at the suspend.
        public var clockBefore: ClockState?
        /// Of a resume: the same as ``clock``.
        public var clockAfter: ClockState?
        public var ram: RAM?
        public var stages: [Stage]
        public var notes: [String]

        enum CodingKeys: String, CodingKey {
            case name, host
            case stoppedAt = "stoppedAtNs"
            case resumedAt = "resumedAtNs"
            case pause = "pauseNs"
            case savedWhile
            case sentAt = "sentAtNs"
            case lateness = "latenessNs"
            case clock, clockBefore, clockAfter, ram, stages, notes
        }

        public init(
            name: String,
            host: String,
            stoppedAt: HostInstant? = nil,
            resumedAt: HostInstant? = nil,
            pause: Span? = nil,
            savedWhile: SavedWhile? = nil,
            sentAt: HostInstant? = nil,
            lateness: Span? = nil,
            clock: ClockState? = nil,
            clockBefore: ClockState? = nil,
            clockAfter: ClockState? = nil,
            ram: RAM? = nil,
            stages: [Stage] = [],
            notes: [String] = []
        ) {
            self.name = name
            self.host = host
            self.stoppedAt = stoppedAt
            self.resumedAt = resumedAt
            self.pause = pause
            self.savedWhile = savedWhile
            self.sentAt = sentAt
            self.lateness = lateness
            self.clock = clock
            self.clockBefore = clockBefore
            self.clockAfter = clockAfter
            self.ram = ram
            self.stages = stages
            self.notes = notes
        }
    }
}
