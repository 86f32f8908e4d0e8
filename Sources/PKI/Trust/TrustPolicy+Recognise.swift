public import Time
import X509

extension TrustPolicy {
    /// Who a peer is, by a certificate that a TLS library has accepted from it with the same authorities as roots.
    ///
    /// At once, for where nobody can wait. It trusts the library with what a certificate of an authority may have besides; signature,
    /// validity, identity and revocation are checked here.
    /// - Parameters: as of ``identify(chain:expecting:name:at:)``.
    public func recognise(
        certificate bytes: [UInt8],
        expecting role: Role,
        name: String,
        at now: HostInstant
    ) -> Result<PeerIdentity, PeerRefusal> {
        do throws(PeerRefusal) {
            guard bytes.count <= Self.largestCertificate else { throw .malformed("it is too large") }
            guard let leaf = try? Certificate(strictlyDER: bytes) else {
                throw .malformed("it is no X.509 certificate")
            }
            guard let authority = authorities.first(where: { $0.hasSigned(leaf) }) else {
                throw PeerRefusal(
                    .wrongAuthority,
                    "the peer's certificate was not issued by an authority that is trusted here"
                )
            }
            let peer = try PeerIdentity(of: leaf)
            guard peer.role == role else {
                throw PeerRefusal(
                    .wrongRole,
                    "the peer is \(peer) by its certificate, and has to be a \(role.rawValue)"
                )
            }
            guard peer.name == name else {
                throw PeerRefusal(.wrongName, "the peer is \(peer) by its certificate, and has to be \(name)")
            }
            guard now >= HostInstant(leaf.notValidBefore) else {
                throw PeerRefusal(.notYetValid, "the certificate of \(peer) is not valid yet: are the clocks right?")
            }
            guard now <= peer.expires else {
                throw PeerRefusal(.expired, "the certificate of \(peer) has expired at \(peer.expires)")
            }
            if let revoked = revocation(of: peer.serial, by: authority) {
                throw PeerRefusal(.revoked, "the certificate \(peer.serial) of \(peer) was revoked at \(revoked)")
            }
            return .success(peer)
        } catch {
            return .failure(error)
        }
    }
}
