public import Time

/// Clear away what nothing refers to, and, when asked, checkpoints by a rule.
public struct GarbageRequest: Codable, Hashable, Sendable {
    /// nil: of all, and what is left of simulations that are no more.
    public var simulation: String?
    /// Only tell what would be removed.
    public var dryRun: Bool
    /// Checkpoints beyond the newest so many of each simulation.
    public var keep: Int?
    /// Checkpoints that are older. With ``keep`` both have to be the case.
    public var olderThan: Span?

    enum CodingKeys: String, CodingKey {
        case simulation, dryRun, keep
        case olderThan = "olderThanNs"
    }

    public init(simulation: String? = nil, dryRun: Bool = false, keep: Int? = nil, olderThan: Span? = nil) {
        self.simulation = simulation
        self.dryRun = dryRun
        self.keep = keep
        self.olderThan = olderThan
    }
}
