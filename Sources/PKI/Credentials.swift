import Crypto
public import Time
import X509

/// What a host proves itself with: its certificate, its private key, and the authority that issued it. One PEM file, mode 0600.
public struct Credentials: Sendable, CustomStringConvertible {
    public static let defaultValidity = Span.seconds(397 * 86_400)

    public let identity: PeerIdentity
    /// One; more only if somebody added them to the file.
    public let authorities: [AuthorityCertificate]
    let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// - Parameter path: where it is from, for messages.
    /// - Throws: `pki-certificate` unless the parts belong together.
    init(
        certificate: Certificate,
        key: P256.Signing.PrivateKey,
        authorities: [AuthorityCertificate],
        path: String
    ) throws(PKIError) {
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else {
            throw PKIError(.certificate, "\(path) has a key that is not its certificate's: put what was issued there")
        }
        guard authorities.contains(where: { $0.hasSigned(certificate) }) else {
            throw PKIError(
                .certificate,
                "\(path) lacks the authority that signed its certificate: put what was issued there"
            )
        }
        do {
            identity = try PeerIdentity(of: certificate)
        } catch {
            throw PKIError(.certificate, "\(path) is no host's certificate of fermata's kind: \(error)")
        }
        (self.certificate, self.key, self.authorities) = (certificate, key, authorities)
    }

    /// - Parameters:
    ///   - bytes: certificate, private key and authorities as PEM; the host's certificate is the first of all.
    ///   - path: where it is from, for messages.
    /// - Throws: `pki-certificate`.
    init(parsing bytes: [UInt8], path: String) throws(PKIError) {
        let file = try PEMFile(parsing: bytes, path: path)
        guard file.keys.count == 1, let leaf = file.certificates.first else {
            throw PKIError(
                .certificate,
                "\(path) must have one private key and certificates: put what was issued there"
            )
        }
        var authorities: [AuthorityCertificate] = []
        for certificate in file.certificates.dropFirst() {
            authorities.append(try AuthorityCertificate(certificate, path: path))
        }
        try self.init(certificate: leaf, key: file.keys[0], authorities: authorities, path: path)
    }

    /// The host's certificate and that of its authority, as TLS sends them.
    public func certificateChain() throws(PKIError) -> [[UInt8]] {
        [try certificate.der()] + authorities.map(\.der)
    }

    /// PKCS #8. A secret: never logged.
    public var privateKeyDER: [UInt8] { Array(key.derRepresentation) }

    /// All of it. A secret: never logged.
    public func pem() throws(PKIError) -> String {
        try certificate.pem() + key.pemRepresentation + "\n" + authorities.map(\.pem).joined()
    }

    /// Without the key.
    public var description: String { "\(identity), certificate \(identity.serial)" }
}
