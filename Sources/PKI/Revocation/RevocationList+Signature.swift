import Crypto
import FoundationEssentials
import Time

extension RevocationList {
    /// - Throws: `pki-revocations` when the key cannot sign.
    init(
        sequence: UInt64,
        issued: HostInstant,
        entries: [Entry],
        signedBy key: P256.Signing.PrivateKey
    ) throws(PKIError) {
        let unsigned = RevocationList(
            authority: Hex.text(SHA256.hash(data: key.publicKey.derRepresentation)),
            sequence: sequence,
            issued: issued.toSecond,
            entries: entries.sorted { $0.serial < $1.serial },
            signature: []
        )
        do {
            let signature = try key.signature(for: Data(unsigned.body.utf8)).rawRepresentation
            self.init(
                authority: unsigned.authority,
                sequence: unsigned.sequence,
                issued: unsigned.issued,
                entries: unsigned.entries,
                signature: Array(signature)
            )
        } catch {
            throw PKIError(.revocations, "the revocation list \(sequence) cannot be signed: \(error)")
        }
    }

    /// - Throws: `pki-revocations` unless this authority has signed every byte of it.
    public func verify(with certificate: AuthorityCertificate) throws(PKIError) {
        guard authority == certificate.fingerprint, let key = certificate.key,
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.isValidSignature(signature, for: Data(body.utf8))
        else {
            throw PKIError(
                .revocations,
                "the revocation list \(sequence) of \(issued) is not signed by the authority \(certificate.fingerprint.prefix(16))…: "
                    + "copy the authority's own list again"
            )
        }
    }
}
