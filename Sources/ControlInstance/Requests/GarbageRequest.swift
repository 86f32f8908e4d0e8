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
    /// Also the checkpoint that a simulation stands at which is down.
    public var all: Bool

    enum CodingKeys: String, CodingKey {
        case simulation, dryRun, keep, all
        case olderThan = "olderThanNs"
    }

    public init(
        simulation: String? = nil,
        dryRun: Bool = false,
        keep: Int? = nil,
        olderThan: Span? = nil,
        all: Bool = false
    ) {
        self.simulation = simulation
        self.dryRun = dryRun
        self.keep = keep
        self.olderThan = olderThan
        self.all = all
    }
}
