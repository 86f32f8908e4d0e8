public import HypervisorAPI
public import Time

/// One node of the tree that `log` shows.
public struct CheckpointSummary: Codable, Hashable, Sendable {
    public var id: String
    public var simulation: String
    public var checkpoint: String
    /// Name of the checkpoint that it grew from; nil: from a start.
    public var parent: String?
    /// Of a clone's checkpoint without a parent: where the clone came from.
    public var origin: Origin?
    /// The suspend instant.
    public var instant: HostInstant
    public var created: HostInstant
    public var machines: [String]
    /// Of all files in its folder.
    public var bytes: UInt64
    /// Whether the simulation stands at it: it was suspended to it, or runs on from it.
    public var current: Bool
    /// Whether all of it is in its folder, with digests.
    public var sealed: Bool
    public var labels: [String: String]
    public var note: String?

    enum CodingKeys: String, CodingKey {
        case id, simulation, checkpoint, parent, origin
        case instant = "instantNs"
        case created = "createdNs"
        case machines, bytes, current, sealed, labels, note
    }

    public init(
        id: String,
        simulation: String,
        checkpoint: String,
        parent: String?,
        origin: Origin? = nil,
        instant: HostInstant,
        created: HostInstant,
        machines: [String],
        bytes: UInt64,
        current: Bool,
        sealed: Bool,
        annotations: Annotations = .none
    ) {
        self.id = id
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.parent = parent
        self.origin = origin
        self.instant = instant
        self.created = created
        self.machines = machines
        self.bytes = bytes
        self.current = current
        self.sealed = sealed
        labels = annotations.labels
        note = annotations.note
    }
}

/// A checkpoint and its whole manifest, as `show` tells it.
public struct CheckpointDetail: Codable, Hashable, Sendable {
    public var summary: CheckpointSummary
    public var folder: String
    public var manifest: CheckpointManifest
    /// Of one that was just made of another: what went otherwise than it should, for people; nil: nothing.
    public var notes: [String]?

    public init(summary: CheckpointSummary, folder: String, manifest: CheckpointManifest) {
        self.summary = summary
        self.folder = folder
        self.manifest = manifest
    }
}

/// The result of `verify`.
public struct VerifyReport: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoint: String
    public var ok: Bool
    /// Every way in which it is not what its manifest says.
    public var reasons: [Reason]
    /// 0 or 6; 1 when a host could not be asked.
    public var exitCode: Int

    public init(simulation: String, checkpoint: String, reasons: [Reason], exitCode: Int) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        ok = reasons.isEmpty
        self.reasons = reasons
        self.exitCode = exitCode
    }
}
