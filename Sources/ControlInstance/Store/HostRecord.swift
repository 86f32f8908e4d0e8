public import Time

/// A host that was added: where its agent listens, and what it is for.
public struct HostRecord: Codable, Hashable, Sendable {
    /// As in its certificate, and in manifests.
    public var name: String
    /// `HOST:PORT` or `[IPv6]:PORT`.
    public var address: String
    /// Manifests may ask for one in place of a name.
    public var labels: [String: String]
    /// No machine is started or resumed on it any more; those that run are as they were.
    public var drained: Bool
    public var added: HostInstant

    enum CodingKeys: String, CodingKey {
        case name, address, labels, drained
        case added = "addedNs"
    }

    public init(
        name: String,
        address: String,
        labels: [String: String] = [:],
        drained: Bool = false,
        added: HostInstant
    ) {
        self.name = name
        self.address = address
        self.labels = labels
        self.drained = drained
        self.added = added
    }
}
