/// Make a checkpoint ready to leave its host.
public struct DepartureOrder: Codable, Hashable, Sendable {
    public var checkpoint: StoredCheckpoint
    /// A folder for what has to be made, the caller's to remove.
    public var scratch: String
    /// Whether what lies in neither folder, such as a kernel, is copied into the scratch folder: who is on another host can read nothing else.
    public var gathers: Bool

    public init(checkpoint: StoredCheckpoint, scratch: String, gathers: Bool) {
        self.checkpoint = checkpoint
        self.scratch = scratch
        self.gathers = gathers
    }
}

/// A checkpoint as it leaves its host: it needs no file that is not named in it.
public struct StandaloneCheckpoint: Codable, Hashable, Sendable {
    /// All paths relative, all files with digests, no disk on another image.
    public var machines: [MachineCheckpoint]
    /// Where each file of the machines and links lies now, by its path in the checkpoint.
    public var sources: [String: FilePlace]

    public init(machines: [MachineCheckpoint], sources: [String: FilePlace]) {
        self.machines = machines
        self.sources = sources
    }
}

/// Make a checkpoint of another host one of this host's.
public struct ArrivalOrder: Codable, Hashable, Sendable {
    /// As its archive describes it, all files in their places below `folder`: the one that it becomes part of, or the one that it came into
    /// from another host (``ArrivalName``).
    public var checkpoint: StoredCheckpoint
    /// The simulation, under the name that it had.
    public var simulation: SimulationSpec
    /// What the folder will be called once the checkpoint is whole.
    public var finalFolder: String
    /// QEMU binaries to use instead of those of the same file name, absolute paths; a single one of another name stands for all.
    public var binaries: [String]
    /// Whether it is added to what the caller has made of the same checkpoint already, machines that were here before.
    public var joins: Bool
    /// nil: whoever imports it owns the host. An agent sets its own, whatever it is sent.
    public var limits: ArrivalLimits?

    public init(
        checkpoint: StoredCheckpoint,
        simulation: SimulationSpec,
        finalFolder: String,
        binaries: [String],
        joins: Bool = false,
        limits: ArrivalLimits? = nil
    ) {
        self.checkpoint = checkpoint
        self.simulation = simulation
        self.finalFolder = finalFolder
        self.binaries = binaries
        self.joins = joins
        self.limits = limits
    }
}

/// A checkpoint of another host, with paths and binaries of this one.
public struct Arrival: Codable, Hashable, Sendable {
    public var simulation: SimulationSpec
    public var machines: [MachineCheckpoint]
    /// Why it cannot be resumed here as things are; each says what is missing.
    public var obstacles: [Reason]
    /// What is different here, for people.
    public var notes: [String]

    public init(simulation: SimulationSpec, machines: [MachineCheckpoint], obstacles: [Reason], notes: [String]) {
        self.simulation = simulation
        self.machines = machines
        self.obstacles = obstacles
        self.notes = notes
    }
}
