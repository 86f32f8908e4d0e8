/// Another control instance with the same state database.
public struct Peer: Hashable, Sendable {
    /// As its own host is called: the machines there are its alone.
    public var name: String
    /// Its state folder, on its host.
    public var home: String
    /// It was heard of lately.
    public var isLive: Bool
    /// What it has the right to change now; of one that is not live nothing counts any more.
    public var simulations: Set<String>

    public init(name: String, home: String, isLive: Bool, simulations: Set<String> = []) {
        self.name = name
        self.home = home
        self.isLive = isLive
        self.simulations = simulations
    }
}
