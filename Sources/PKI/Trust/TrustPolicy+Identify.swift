import FoundationEssentials
public import Time
@_spi(FixedExpiryValidationTime) import X509

extension TrustPolicy {
    /// Who a peer is, by the certificates that it sent.
    ///
    /// The first of them has to be signed by a trusted authority itself: there are none in between. The others are not looked at. That the
    /// peer has the certificate's key is for TLS to check.
    /// - Parameters:
    ///   - chain: DER, the peer's own first; whatever it sent.
    ///   - role: what it has to be.
    ///   - name: who it has to be; nil: anybody of that role.
    ///   - now: the time at which certificates have to be valid.
    public func identify(
        chain: [[UInt8]],
        expecting role: Role,
        name: String? = nil,
        at now: HostInstant
    ) async -> Result<PeerIdentity, PeerRefusal> {
        do throws(PeerRefusal) {
            let leaf = try Self.leaf(of: chain)
            let authority = try await issuer(of: leaf, at: now)
            let peer = try PeerIdentity(of: leaf)
            try check(peer, of: authority)
            guard peer.role == role else {
                throw PeerRefusal(
                    .wrongRole,
                    "the peer is \(peer) by its certificate, and has to be a \(role.rawValue)"
                )
            }
            guard name == nil || peer.name == name else {
                throw PeerRefusal(
                    .wrongName,
                    "the peer is \(peer) by its certificate, and has to be \(name?.prefix(80) ?? "")"
                )
            }
            return .success(peer)
        } catch {
            return .failure(error)
        }
    }

    private static func leaf(of chain: [[UInt8]]) throws(PeerRefusal) -> Certificate {
        guard let first = chain.first else { throw .malformed("it sent none") }
        guard chain.count <= longestChain else { throw .malformed("it sent \(chain.count) of them") }
        guard chain.allSatisfy({ $0.count <= largestCertificate }) else { throw .malformed("it is too large") }
        do {
            return try Certificate(strictlyDER: first)
        } catch {
            throw .malformed("it is no X.509 certificate")
        }
    }

    /// The authority that has signed it, if both are valid.
    private func issuer(of leaf: Certificate, at now: HostInstant) async throws(PeerRefusal) -> AuthorityCertificate {
        let policy = RFC5280Policy(fixedExpiryValidationTime: Date(now))
        let known = policy.verifyingCriticalExtensions
        guard leaf.extensions.allSatisfy({ !$0.critical || known.contains($0.oid) }) else {
            throw .malformed("it has a critical extension that is not understood here")
        }
        var verifier = Verifier(rootCertificates: CertificateStore(authorities.map(\.certificate))) { policy }
        switch await verifier.validate(leaf: leaf, intermediates: CertificateStore()) {
        case .validCertificate(let chain):
            guard let root = chain.last, let authority = authorities.first(where: { $0.certificate == root }) else {
                throw Self.wrongAuthority(leaf)
            }
            return authority
        case .couldNotValidate(let failures):
            // These chains are signed as they should be; something else is wrong with them.
            let refusals = failures.map { Self.refusal(of: Array($0.chain), at: now) }
            throw refusals.first ?? Self.wrongAuthority(leaf)
        }
    }

    private static func refusal(of chain: [Certificate], at now: HostInstant) -> PeerRefusal {
        for (index, certificate) in chain.enumerated() {
            let whose = index == 0 ? "the peer's certificate \(serial(certificate))" : "the authority's certificate"
            let (start, end) = (HostInstant(certificate.notValidBefore), HostInstant(certificate.notValidAfter))
            if now.toSecond > end {
                return PeerRefusal(.expired, "\(whose) has expired at \(end); it is \(now.toSecond)")
            }
            if now.toSecond < start {
                return PeerRefusal(
                    .notYetValid,
                    "\(whose) is valid from \(start) on; it is \(now.toSecond): are the clocks right?"
                )
            }
        }
        return .malformed("it does not fit its authority")
    }

    private func check(_ peer: PeerIdentity, of authority: AuthorityCertificate) throws(PeerRefusal) {
        guard let revoked = revocation(of: peer.serial, by: authority) else { return }
        throw PeerRefusal(.revoked, "the certificate \(peer.serial) of \(peer) was revoked at \(revoked)")
    }

    private static func wrongAuthority(_ leaf: Certificate) -> PeerRefusal {
        PeerRefusal(
            .wrongAuthority,
            "the peer's certificate \(serial(leaf)) was not issued by an authority that is trusted here"
        )
    }

    /// Anybody can make one of any length.
    private static func serial(_ certificate: Certificate) -> String { String(certificate.serial.prefix(40)) }
}
