/// The checkpoint of another simulation that a clone went on from. A fact of the past: it may be gone meanwhile.
public struct Origin: Codable, Hashable, Sendable, CustomStringConvertible {
    public var simulation: String
    public var checkpoint: String
    /// Of the checkpoint, since its name can be given again.
    public var id: String

    public init(simulation: String, checkpoint: String, id: String) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.id = id
    }

    public var description: String { "\(simulation)@\(checkpoint)" }
}

extension CheckpointManifest {
    /// Of a clone's first checkpoint.
    var origin: Origin? {
        guard let parent, let other = parent.simulation, other != simulation else { return nil }
        return Origin(simulation: other, checkpoint: parent.name, id: parent.id)
    }
}
