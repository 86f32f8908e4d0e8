public import Time

/// How a state database does.
public struct StoreHealth: Hashable, Sendable {
    /// Which one, without a password.
    public var place: String
    /// Of its program.
    public var version: String
    /// Of a change, from asking for it until it is durable.
    public var latency: Span?
    /// Why it cannot be used now.
    public var problem: String?

    public init(place: String, version: String = "", latency: Span? = nil, problem: String? = nil) {
        self.place = place
        self.version = version
        self.latency = latency
        self.problem = problem
    }
}
