import Crypto
public import Time
import X509

/// The certificate of an authority: hosts' certificates and revocation lists are checked with it.
public struct AuthorityCertificate: Hashable, Sendable {
    let certificate: Certificate
    /// SHA-256 of the public key, in hex. Revocation lists name their authority by it.
    public let fingerprint: String
    public let pem: String
    public let der: [UInt8]

    public var expires: HostInstant { HostInstant(certificate.notValidAfter) }
    public var serial: String { certificate.serial }

    /// - Throws: `pki-certificate` unless it is an authority's, with a P-256 key that has signed it.
    init(_ certificate: Certificate, path: String) throws(PKIError) {
        guard Self.isAuthority(certificate), let key = P256.Signing.PublicKey(certificate.publicKey),
            certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
        else {
            throw PKIError(.certificate, "\(path) has a certificate that is not an authority's of fermata's kind")
        }
        self.certificate = certificate
        fingerprint = Hex.text(SHA256.hash(data: key.derRepresentation))
        pem = try certificate.pem()
        der = try certificate.der()
    }

    /// All of a PEM text.
    /// - Parameter path: where it is from, for messages.
    /// - Throws: `pki-certificate`, also when there is none or something else.
    public static func all(inPEM bytes: [UInt8], path: String) throws(PKIError) -> [AuthorityCertificate] {
        let file = try PEMFile(parsing: bytes, path: path)
        guard file.keys.isEmpty, !file.certificates.isEmpty else {
            throw PKIError(.certificate, "\(path) must have certificates of authorities, and nothing else")
        }
        var all: [AuthorityCertificate] = []
        for certificate in file.certificates { all.append(try AuthorityCertificate(certificate, path: path)) }
        return all
    }

    /// nil only if the certificate changed under us, which a value does not.
    var key: P256.Signing.PublicKey? { P256.Signing.PublicKey(certificate.publicKey) }

    func hasSigned(_ other: Certificate) -> Bool {
        other.issuer == certificate.subject && certificate.publicKey.isValidSignature(other.signature, for: other)
    }

    private static func isAuthority(_ certificate: Certificate) -> Bool {
        guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else { return false }
        return (try? certificate.extensions.keyUsage)?.keyCertSign == true
    }
}
