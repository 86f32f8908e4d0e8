public import HypervisorAPI

/// The result of `import`.
public struct ImportReport: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoint: String
    public var id: String
    public var importedFrom: CheckpointManifest.Provenance
    public var machines: [String]
    /// Of each machine, where its part of the checkpoint lies now.
    public var hosts: [String: String]
    /// Of all files in its folder.
    public var bytes: UInt64
    /// Whether it can be resumed here as things are.
    public var resumable: Bool
    /// Every reason why not, each with what to do.
    public var reasons: [Reason]
    /// What is different here.
    public var notes: [String]

    public init(
        _ manifest: CheckpointManifest,
        importedFrom: CheckpointManifest.Provenance,
        reasons: [Reason],
        notes: [String]
    ) {
        simulation = manifest.simulation
        checkpoint = manifest.name
        id = manifest.id
        self.importedFrom = importedFrom
        machines = manifest.machines.map(\.name)
        hosts = manifest.hosts
        bytes = manifest.bytes
        resumable = reasons.isEmpty
        self.reasons = reasons
        self.notes = notes
    }
}
