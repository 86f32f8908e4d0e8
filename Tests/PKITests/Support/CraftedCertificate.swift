import Crypto
import FoundationEssentials
import SwiftASN1
import Time
import X509

@testable import PKI

/// A certificate such as the authority would never make, although its key signs it.
struct CraftedCertificate {
    var names: [GeneralName]? = [.uniformResourceIdentifier("fermata://hypervisor/edge1"), .dnsName("edge1")]
    var usages: [ExtendedKeyUsage.Usage] = [.serverAuth, .clientAuth]
    var isAuthority = false
    var extra: [Certificate.Extension] = []
    var start = Lab.now - Lab.day
    var end = Lab.now + Lab.day
    var subject = "edge1"
    let key = P256.Signing.PrivateKey()

    func sign(by issuer: Certificate, _ issuerKey: P256.Signing.PrivateKey) throws -> Certificate {
        try make(issuer: issuer.subject, issuerKey)
    }

    func selfSigned() throws -> Certificate { try make(issuer: try name(), key) }

    private func name() throws -> DistinguishedName { try DistinguishedName { CommonName(subject) } }

    private func make(issuer: DistinguishedName, _ issuerKey: P256.Signing.PrivateKey) throws -> Certificate {
        var extensions = try Certificate.Extensions {
            if isAuthority {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            } else {
                Critical(BasicConstraints.notCertificateAuthority)
            }
            Critical(KeyUsage(digitalSignature: true, keyCertSign: isAuthority))
            try ExtendedKeyUsage(usages)
        }
        if let names {
            try extensions.append(try Certificate.Extension(SubjectAlternativeNames(names), critical: false))
        }
        for one in extra { try extensions.append(one) }
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(bytes: [0x42, 1, 2, 3]),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(start.wholeSeconds)),
            notValidAfter: Date(timeIntervalSince1970: Double(end.wholeSeconds)),
            issuer: issuer,
            subject: try name(),
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions,
            issuerPrivateKey: Certificate.PrivateKey(issuerKey)
        )
    }
}

extension Lab {
    func key() throws -> P256.Signing.PrivateKey {
        try P256.Signing.PrivateKey(pemRepresentation: try folder.text("pki/ca.key"))
    }

    func sign(_ crafted: CraftedCertificate) throws -> Certificate {
        try crafted.sign(by: authority.certificate.certificate, try key())
    }
}
