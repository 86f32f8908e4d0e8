/// Why a peer is not talked to.
public struct PeerRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Stable names for logs and programs.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        case expired
        case notYetValid = "not-yet-valid"
        /// No authority that is trusted here has issued it.
        case wrongAuthority = "wrong-authority"
        case revoked
        case wrongRole = "wrong-role"
        case wrongName = "wrong-name"
        /// It is no certificate, or not one of a host.
        case malformed
    }

    public let reason: Reason
    /// A sentence. It quotes nothing of a certificate that no trusted authority has signed, but its serial number.
    public let message: String

    public var description: String { message }

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    static func malformed(_ what: String) -> PeerRefusal {
        PeerRefusal(.malformed, "the peer's certificate cannot be used: \(what)")
    }
}
