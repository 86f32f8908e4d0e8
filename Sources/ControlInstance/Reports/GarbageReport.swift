public import HypervisorAPI

/// The result of `gc`.
public struct GarbageReport: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case checkpoint
        /// The folder of a checkpoint that never became whole.
        case partial
        /// A clone that is down and has no checkpoints.
        case simulation
        /// What a hypervisor has of a simulation that is no more: logs, delays, folders.
        case leftover
    }

    public struct Item: Codable, Hashable, Sendable {
        public var kind: Kind
        /// `SIM@NAME`, a simulation's name, or a path.
        public var name: String
        /// That its removal frees; what others, that stay, have too is not counted.
        public var bytes: UInt64

        public init(kind: Kind, name: String, bytes: UInt64) {
            self.kind = kind
            self.name = name
            self.bytes = bytes
        }
    }

    /// Whether nothing was removed.
    public var dryRun: Bool
    public var items: [Item]
    public var bytes: UInt64
    /// Why some are not among them: checkpoints that others need, simulations that are busy.
    public var spared: [Reason]

    public init(dryRun: Bool, items: [Item], spared: [Reason]) {
        self.dryRun = dryRun
        self.items = items
        bytes = items.reduce(0) { $0 &+ $1.bytes }
        self.spared = spared
    }
}
