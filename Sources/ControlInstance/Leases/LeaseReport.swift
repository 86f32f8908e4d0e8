public import HypervisorAPI

/// How a lease ended, and what became of its simulation.
public struct LeaseReport: Codable, Hashable, Sendable {
    public var simulation: String
    /// Machines that were ended.
    public var machines: [String]
    /// Its checkpoints that are gone.
    public var removed: [String]
    /// Its checkpoints that stay: those that were to be kept, and those of which ``reasons`` say why.
    public var kept: [String]
    public var reasons: [Reason]

    public init(
        simulation: String,
        machines: [String] = [],
        removed: [String] = [],
        kept: [String] = [],
        reasons: [Reason] = []
    ) {
        self.simulation = simulation
        self.machines = machines
        self.removed = removed
        self.kept = kept
        self.reasons = reasons
    }
}
