public import Time

extension Authority {
    /// Revokes one certificate for good, and signs a new list. What is revoked already stays as it is.
    /// - Parameter serial: as ``CertificateRecord/serial``.
    /// - Returns: its record.
    /// - Throws: `pki-unknown` when it was never issued, `pki-record`, `pki-revocations`, `pki-certificate`, `pki-permissions`, `pki-io`.
    @discardableResult
    public func revoke(serial: String, now: HostInstant) throws(PKIError) -> [CertificateRecord] {
        try revoke("with the serial number \(serial.prefix(80))", now) { $0.serial == serial.lowercased() }
    }

    /// Revokes all certificates of a name.
    /// - Parameter role: only those of this role; nil: of both.
    /// - Returns: the records of all that are revoked now, those of before included.
    /// - Throws: as ``revoke(serial:now:)``.
    @discardableResult
    public func revoke(name: String, role: Role? = nil, now: HostInstant) throws(PKIError) -> [CertificateRecord] {
        try revoke("of the name \(name.prefix(80))", now) { $0.name == name && (role == nil || $0.role == role) }
    }

    private func revoke(
        _ what: String,
        _ now: HostInstant,
        _ isMeant: (CertificateRecord) -> Bool
    ) throws(PKIError) -> [CertificateRecord] {
        let folder = try SafeFolder(path, byRoot: false)
        return try folder.locked { () throws(PKIError) in
            var record = try record(in: folder)
            let meant = record.certificates.indices.filter { isMeant(record.certificates[$0]) }
            guard !meant.isEmpty else {
                throw PKIError(.unknown, "no certificate \(what) was issued here: 'fermata pki list' tells all")
            }
            let fresh = meant.filter { record.certificates[$0].revoked == nil }
            if !fresh.isEmpty {
                // A key that is not there is found out before anything changes.
                _ = try key(in: folder)
                for index in fresh { record.certificates[index].revoked = now.toSecond }
                record.sequence += 1
                try write(record, in: folder)
            }
            // Also when nothing is fresh: a process that revoked it may have ended before it signed the list.
            try publish(record, in: folder, now: now)
            return meant.map { record.certificates[$0] }
        }
    }
}
