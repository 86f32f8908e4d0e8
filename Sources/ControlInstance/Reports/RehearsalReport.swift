public import HypervisorAPI
public import Time

/// What an operation would do, and whether every host is ready for it. Nothing of it is held when this is told.
public struct RehearsalReport: Codable, Hashable, Sendable {
    public struct Host: Codable, Hashable, Sendable {
        public var host: String
        public var ready: Bool
        public var machines: [String]
        /// From when it was asked to the first instant at which it can; nil when it cannot.
        public var required: Span?
        /// Why not.
        public var reasons: [Reason]

        private enum CodingKeys: String, CodingKey {
            case host, ready, machines, reasons
            case required = "requiredNs"
        }

        public init(host: String, ready: Bool, machines: [String], required: Span? = nil, reasons: [Reason] = []) {
            self.host = host
            self.ready = ready
            self.machines = machines
            self.required = required
            self.reasons = reasons
        }
    }

    public var simulation: String
    /// Of what begins: of a rewind of a simulation that runs, the suspend.
    public var kind: OperationKind
    /// Of a suspend or checkpoint the one that it would make, of the others the one that they go on from.
    public var checkpoint: String?
    public var ready: Bool
    /// The instant that was asked for, else the first at which all can; nil when not all can.
    public var deadline: HostInstant?
    public var hosts: [Host]
    /// Of all hosts.
    public var reasons: [Reason]
    public var notes: [String]

    private enum CodingKeys: String, CodingKey {
        case simulation, kind, checkpoint, ready, hosts, notes, reasons
        case deadline = "deadlineNs"
    }

    public init(
        simulation: String,
        kind: OperationKind,
        checkpoint: String? = nil,
        deadline: HostInstant? = nil,
        hosts: [Host],
        notes: [String] = []
    ) {
        self.simulation = simulation
        self.kind = kind
        self.checkpoint = checkpoint
        self.hosts = hosts
        self.reasons = hosts.flatMap(\.reasons)
        ready = hosts.allSatisfy(\.ready)
        self.deadline = ready ? deadline : nil
        self.notes = notes
    }
}

extension RehearsalReport {
    /// What the operation itself would end with; 0: it could be done.
    public var exitCode: Int {
        ready ? 0 : OperationOutcome(failureWith: hosts.flatMap(\.reasons), otherwise: .refused).exitCode
    }
}
