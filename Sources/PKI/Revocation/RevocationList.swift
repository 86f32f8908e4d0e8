public import Time

/// Which certificates of one authority are revoked, signed by its key.
///
/// This is a format of fermata's own, a few lines of text (docs/pki.md), because swift-certificates can neither make nor check X.509 CRLs.
public struct RevocationList: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        /// As ``CertificateRecord/serial``.
        public let serial: String
        /// In whole seconds.
        public let revoked: HostInstant
    }

    /// More than one lab revokes; a limit for what is read.
    static let limit = 50_000

    /// ``AuthorityCertificate/fingerprint`` of who signed it.
    public let authority: String
    /// Counts up with each change; the list with the highest number is the one to use.
    public let sequence: UInt64
    /// In whole seconds.
    public let issued: HostInstant
    /// In the order of serial numbers, each once.
    public let entries: [Entry]
    let signature: [UInt8]

    init(authority: String, sequence: UInt64, issued: HostInstant, entries: [Entry], signature: [UInt8]) {
        self.authority = authority
        self.sequence = sequence
        self.issued = issued
        self.entries = entries
        self.signature = signature
    }

    /// Whether it may take the place of one that is known. A list never goes back, and two of one number say the same.
    /// - Throws: `pki-outdated`.
    func requireSuccessor(of known: RevocationList) throws(PKIError) {
        guard sequence > known.sequence || (sequence == known.sequence && body == known.body) else {
            throw PKIError(
                .outdated,
                "the revocation list \(sequence) of \(issued) cannot replace the list \(known.sequence) of \(known.issued): "
                    + "copy the authority's newest one"
            )
        }
    }
}
