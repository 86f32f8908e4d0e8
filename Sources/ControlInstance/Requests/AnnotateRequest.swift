/// Say something else about a checkpoint.
public struct AnnotateRequest: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoint: String
    /// Those that are set, and, with nil, those that are taken away; all others stay.
    public var labels: [String: String?]
    /// nil: stays; empty: none any more.
    public var note: String?

    public init(simulation: String, checkpoint: String, labels: [String: String?] = [:], note: String? = nil) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.labels = labels
        self.note = note
    }
}
