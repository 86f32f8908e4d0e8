public import Time

/// What an authority remembers of a certificate that it issued.
public struct CertificateRecord: Codable, Hashable, Sendable {
    /// Lower-case hex, two digits a byte.
    public let serial: String
    public let role: Role
    public let name: String
    /// Beside the name.
    public let addresses: [String]
    public let issued: HostInstant
    public let expires: HostInstant
    public internal(set) var revoked: HostInstant?

    private enum CodingKeys: String, CodingKey {
        case serial, role, name, addresses
        case issued = "issuedNs"
        case expires = "expiresNs"
        case revoked = "revokedNs"
    }
}
