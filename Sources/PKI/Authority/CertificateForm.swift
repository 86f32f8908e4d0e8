import Crypto
import FoundationEssentials
import SwiftASN1
import Time
import X509

/// How certificates are made: what each kind says of itself.
enum CertificateForm {
    /// Clocks of hosts differ by some: what was issued just now must be valid on all of them.
    static let backdating = Span.seconds(300)

    /// 16 bytes, of which two bits are fixed: never negative, never shorter.
    static func randomSerial() -> Certificate.SerialNumber {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = bytes[0] & 0x3f | 0x40
        return Certificate.SerialNumber(bytes: bytes)
    }

    static func authority(
        name: String,
        key: P256.Signing.PrivateKey,
        from start: HostInstant,
        to end: HostInstant
    ) throws -> Certificate {
        let subject = try DistinguishedName {
            OrganizationName("fermata")
            CommonName(name)
        }
        let publicKey = Certificate.PublicKey(key.publicKey)
        return try Certificate(
            version: .v3,
            serialNumber: randomSerial(),
            publicKey: publicKey,
            notValidBefore: Date(start),
            notValidAfter: Date(end),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                // No authority below this one.
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
    }

    static func host(
        _ role: Role,
        name: String,
        addresses: [PeerAddress],
        key: P256.Signing.PublicKey,
        from start: HostInstant,
        to end: HostInstant,
        signedBy authority: (certificate: Certificate, key: P256.Signing.PrivateKey)
    ) throws -> Certificate {
        let publicKey = Certificate.PublicKey(key)
        let names =
            [GeneralName.uniformResourceIdentifier(PeerIdentity.uri(role, name)), .dnsName(name)]
            + addresses.map { address in
                switch address.kind {
                case .name: .dnsName(address.text)
                case .numeric(let bytes): .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
                }
            }
        return try Certificate(
            version: .v3,
            serialNumber: randomSerial(),
            publicKey: publicKey,
            notValidBefore: Date(start),
            notValidAfter: Date(end),
            issuer: authority.certificate.subject,
            subject: try DistinguishedName {
                OrganizationName("fermata")
                OrganizationalUnitName(role.rawValue)
                CommonName(name)
            },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: authority.certificate.publicKey).keyIdentifier
                )
            },
            issuerPrivateKey: Certificate.PrivateKey(authority.key)
        )
    }
}
