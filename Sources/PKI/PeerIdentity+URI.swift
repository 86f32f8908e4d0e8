extension PeerIdentity {
    static let scheme = "fermata://"

    /// `fermata://hypervisor/edge1`, which stands among the certificate's names.
    static func uri(_ role: Role, _ name: String) -> String { "\(scheme)\(role.rawValue)/\(name)" }

    /// Role and name of a URI such as ``uri(_:_:)`` writes; nil for any other.
    static func parts(of uri: String) -> (role: Role, name: String)? {
        guard uri.utf8.starts(with: scheme.utf8) else { return nil }
        let parts = uri.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let role = Role(rawValue: String(parts[0])) else { return nil }
        let name = String(parts[1])
        return PeerName.isValid(name) ? (role, name) : nil
    }
}
