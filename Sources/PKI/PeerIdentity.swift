public import Time

/// Who a certificate says that its owner is. It is worth as much as the check that it came from.
public struct PeerIdentity: Hashable, Sendable, CustomStringConvertible {
    public let role: Role
    public let name: String
    /// Lower-case hex, two digits a byte.
    public let serial: String
    public let expires: HostInstant

    public var description: String { "\(role.rawValue) \(name)" }
}
