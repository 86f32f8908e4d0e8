import Time

/// Whom to believe: authorities, and what each of them has revoked. A value; it knows no files and no clock.
public struct TrustPolicy: Sendable {
    /// The peer decides how much it sends: this is the most that is looked at.
    public static let longestChain = 4
    public static let largestCertificate = 16_384

    /// While one authority follows another, both.
    public let authorities: [AuthorityCertificate]
    /// One for each authority's key, by its fingerprint.
    let lists: [String: RevocationList]
    /// By authority and serial number.
    private let revoked: [String: [String: HostInstant]]

    /// - Parameter revocations: one for each authority. Lists of others are left aside: nobody here could check them.
    /// - Throws: `pki-revocations` when one is missing, there twice or not signed by its authority; `pki-missing` without an authority.
    public init(authorities: [AuthorityCertificate], revocations: [RevocationList]) throws(PKIError) {
        guard !authorities.isEmpty else { throw PKIError(.missing, "there is no authority to trust: give its ca.pem") }
        var lists: [String: RevocationList] = [:]
        for authority in authorities {
            let own = revocations.filter { $0.authority == authority.fingerprint }
            guard own.count == 1 else {
                throw PKIError(
                    .revocations,
                    "\(own.isEmpty ? "there is no revocation list" : "there are \(own.count) revocation lists") "
                        + "of the authority \(authority.fingerprint.prefix(16))…: copy its 'revoked' here once"
                )
            }
            try own[0].verify(with: authority)
            lists[authority.fingerprint] = own[0]
        }
        self.authorities = authorities
        self.lists = lists
        revoked = lists.mapValues { list in
            Dictionary(list.entries.map { ($0.serial, $0.revoked) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// When the authority revoked the certificate; nil if it did not.
    func revocation(of serial: String, by authority: AuthorityCertificate) -> HostInstant? {
        revoked[authority.fingerprint]?[serial]
    }

    /// - Throws: `pki-outdated` when a list here is older than that of the same authority there.
    func requireSuccessor(of known: TrustPolicy) throws(PKIError) {
        for (authority, list) in lists {
            if let other = known.lists[authority] { try list.requireSuccessor(of: other) }
        }
    }
}
