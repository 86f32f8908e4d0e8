import Time
import X509

extension PeerIdentity {
    /// Of a certificate that a TLS library has accepted, which has looked at who signed it and when it is valid.
    /// - Parameter bytes: DER.
    public init(ofAccepted bytes: [UInt8]) throws(PeerRefusal) {
        guard bytes.count <= TrustPolicy.largestCertificate, let certificate = try? Certificate(strictlyDER: bytes)
        else { throw .malformed("it is no X.509 certificate") }
        try self.init(of: certificate)
    }

    /// Reads a host's certificate. Who signed it, and when it is valid, is not looked at.
    /// - Throws: when it is an authority's, is not for both ends of TLS, or has no identity or more than one.
    init(of certificate: Certificate) throws(PeerRefusal) {
        let extensions = certificate.extensions
        let names: [GeneralName]
        do {
            if case .isCertificateAuthority = try extensions.basicConstraints {
                throw PeerRefusal.malformed("it is an authority's own certificate, not a host's")
            }
            guard try extensions.keyUsage?.digitalSignature == true, let usage = try extensions.extendedKeyUsage,
                usage.contains(.serverAuth), usage.contains(.clientAuth)
            else {
                throw PeerRefusal.malformed("it is not meant for both ends of TLS")
            }
            names = try extensions.subjectAlternativeNames.map { Array($0) } ?? []
        } catch let refusal as PeerRefusal {
            throw refusal
        } catch {
            throw .malformed("one of its extensions cannot be read")
        }
        let uris = names.compactMap { name -> String? in
            if case .uniformResourceIdentifier(let uri) = name { uri } else { nil }
        }
        guard uris.count == 1, let parts = Self.parts(of: uris[0]) else {
            throw .malformed("it does not say by one URI such as \(Self.uri(.hypervisor, "NAME")) who its owner is")
        }
        (role, name) = parts
        serial = certificate.serial
        expires = HostInstant(certificate.notValidAfter)
    }
}
