public import HypervisorAPI
public import Time

/// `checkpoint.json`: everything that a checkpoint is, but for the bytes of its files. See docs/checkpoint-format.md.
public struct CheckpointManifest: Codable, Hashable, Sendable {
    /// Written by this release. A newer one is refused, since its meaning is not known.
    public static let currentFormat = 2

    public struct Parent: Codable, Hashable, Sendable {
        public var id: String
        public var name: String
        /// The simulation that it belongs to when that is another one, of which this one is a clone.
        public var simulation: String?

        public init(id: String, name: String, simulation: String? = nil) {
            self.id = id
            self.name = name
            self.simulation = simulation
        }
    }

    /// Where a checkpoint came from that was not made here.
    public struct Provenance: Codable, Hashable, Sendable {
        public var id: String
        public var simulation: String
        public var name: String
        /// Names of the hosts that its machines were saved on.
        public var hosts: [String]

        public init(id: String, simulation: String, name: String, hosts: [String]) {
            self.id = id
            self.simulation = simulation
            self.name = name
            self.hosts = hosts
        }
    }

    /// Version of the format.
    public var format: Int
    /// Version of the program that wrote it.
    public var tool: String
    /// Unique among all checkpoints of all simulations.
    public var id: String
    public var simulation: String
    public var name: String
    /// The operation that made it.
    public var operation: OperationID
    public var created: HostInstant
    /// The suspend instant.
    public var instant: HostInstant
    public var parent: Parent?
    /// nil for a checkpoint that was made here.
    public var importedFrom: Provenance?
    public var spec: SimulationSpec
    public var machines: [MachineCheckpoint]
    public var links: [LinkCheckpoint]
    /// nil: the simulation has none, or it was saved by a release that knew none.
    public var triggers: SavedTriggers?

    enum CodingKeys: String, CodingKey {
        case format, tool, id, simulation, name, operation
        case created = "createdNs"
        case instant = "instantNs"
        case parent, importedFrom, spec, machines, links, triggers
    }

    public init(
        format: Int = Self.currentFormat,
        tool: String,
        id: String,
        simulation: String,
        name: String,
        operation: OperationID,
        created: HostInstant,
        instant: HostInstant,
        parent: Parent?,
        importedFrom: Provenance? = nil,
        spec: SimulationSpec,
        machines: [MachineCheckpoint],
        links: [LinkCheckpoint],
        triggers: SavedTriggers? = nil
    ) {
        self.format = format
        self.tool = tool
        self.id = id
        self.simulation = simulation
        self.name = name
        self.operation = operation
        self.created = created
        self.instant = instant
        self.parent = parent
        self.importedFrom = importedFrom
        self.spec = spec
        self.machines = machines
        self.links = links
        self.triggers = triggers
    }

    /// Of all files in the checkpoint's folder.
    public var bytes: UInt64 {
        files.reduce(0) { sum, file in
            let (total, overflow) = sum.addingReportingOverflow(file.path.hasPrefix("/") ? 0 : file.bytes)
            return overflow ? .max : total
        }
    }

    var files: [CheckpointFile] {
        machines.flatMap(\.files) + links.map(\.file)
    }
}
