import Crypto
public import Time

extension Authority {
    /// Makes a certificate with a new key for a host. It is on record, durably, before it is handed out.
    ///
    /// A name may have several at once, which is how one is replaced by the next.
    /// - Parameters:
    ///   - addresses: DNS names and IP addresses, beside the name itself; at most 32.
    ///   - validity: from now on. The certificate must not outlive the authority.
    /// - Throws: `pki-name`, `pki-address`, `pki-validity`, `pki-certificate`, `pki-record`, `pki-permissions`, `pki-io`.
    public func issue(
        role: Role,
        name: String,
        addresses: [String] = [],
        validity: Span = Credentials.defaultValidity,
        now: HostInstant
    ) throws(PKIError) -> Credentials {
        try PeerName.check(name, of: "a host")
        let addresses = try Self.addresses(addresses, beside: name)
        let end = try end(of: validity, at: now)
        let folder = try SafeFolder(path, byRoot: false)
        return try folder.locked { () throws(PKIError) in
            var record = try record(in: folder)
            let credentials = try credentials(role, name, addresses, now: now, end: end, try key(in: folder))
            record.certificates.append(
                CertificateRecord(
                    serial: credentials.identity.serial,
                    role: role,
                    name: name,
                    addresses: addresses.map(\.text),
                    issued: now.toSecond,
                    expires: end
                )
            )
            try write(record, in: folder)
            return credentials
        }
    }

    private func credentials(
        _ role: Role,
        _ name: String,
        _ addresses: [PeerAddress],
        now: HostInstant,
        end: HostInstant,
        _ authorityKey: P256.Signing.PrivateKey
    ) throws(PKIError) -> Credentials {
        let key = P256.Signing.PrivateKey()
        do {
            let leaf = try CertificateForm.host(
                role,
                name: name,
                addresses: addresses,
                key: key.publicKey,
                from: now - CertificateForm.backdating,
                to: end,
                signedBy: (certificate.certificate, authorityKey)
            )
            return try Credentials(certificate: leaf, key: key, authorities: [certificate], path: "what was issued")
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError(.certificate, "the certificate of \(name) cannot be made: \(error)")
        }
    }

    private func end(of validity: Span, at now: HostInstant) throws(PKIError) -> HostInstant {
        let end = try Self.end(of: validity, from: now)
        guard end <= certificate.expires else {
            throw PKIError(
                .validity,
                "a certificate for \(validity) would outlive its authority, which ends at \(certificate.expires): "
                    + "choose less, or make a new authority"
            )
        }
        return end
    }

    private static func addresses(_ texts: [String], beside name: String) throws(PKIError) -> [PeerAddress] {
        var addresses: [PeerAddress] = []
        for text in texts {
            let address = try PeerAddress(parsing: text)
            if address.text != name, !addresses.contains(address) { addresses.append(address) }
        }
        guard addresses.count <= PeerAddress.limit else {
            throw PKIError(.address, "\(name) has \(addresses.count) addresses, and \(PeerAddress.limit) are the most")
        }
        return addresses
    }
}
