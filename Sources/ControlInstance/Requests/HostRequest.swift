/// A host to be added.
public struct HostRequest: Hashable, Sendable {
    public var name: String
    public var address: String
    public var labels: [String: String]

    public init(name: String, address: String, labels: [String: String] = [:]) {
        self.name = name
        self.address = address
        self.labels = labels
    }
}
