public import Time

/// What a checkpoint keeps of its simulation's triggers: what has happened in the guests has happened in whatever goes on from it.
public struct SavedTriggers: Codable, Hashable, Sendable {
    /// In the order of the spec's triggers.
    public var states: [TriggerState]
    /// How long the machines had run.
    public var ran: Span

    private enum CodingKeys: String, CodingKey {
        case states
        case ran = "ranNs"
    }

    public init(states: [TriggerState], ran: Span) {
        self.states = states
        self.ran = ran
    }
}
