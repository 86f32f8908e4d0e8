public import HypervisorAPI

/// A host as it is now.
public struct HostReport: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        case ready
        /// It takes no new machines.
        case drained
        /// It did not answer, or not as it should; ``problems`` say why.
        case unreachable
    }

    public var name: String
    /// nil: the control instance's own.
    public var address: String?
    public var labels: [String: String]
    public var state: State
    /// Machines of simulations that live there.
    public var machines: Int
    public var description: HypervisorDescription?
    public var problems: [Reason]
}
