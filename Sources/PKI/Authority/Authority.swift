import Crypto
public import Time

/// A certificate authority of one lab, in a folder of its own: its certificate and key, what it issued, what it revoked.
///
/// Whoever reads the folder can make certificates for any host. It stays on one machine; hosts get ``Credentials`` and the list.
/// Operations of several processes come one after the other. None of them needs a network.
public struct Authority: Sendable {
    enum File {
        static let certificate = "ca.pem"
        static let key = "ca.key"
        static let record = "issued.json"
        static let revocations = "revoked"
    }

    public static let defaultValidity = Span.seconds(3_650 * 86_400)

    /// Absolute.
    public let path: String
    public let certificate: AuthorityCertificate

    /// - Throws: `pki-missing`, `pki-permissions` (the folder or a file is another user's, or others may write it), `pki-certificate`.
    public init(openingAt path: String) throws(PKIError) {
        let none = PKIError(.missing, "there is no authority in \(path): 'fermata pki init' makes one")
        let folder: SafeFolder
        do {
            folder = try SafeFolder(path, byRoot: false)
        } catch {
            throw error.code == .missing ? none : error
        }
        guard try folder.has(File.certificate) else { throw none }
        let bytes = try folder.read(File.certificate, .open)
        let all = try AuthorityCertificate.all(inPEM: bytes, path: folder.place(File.certificate))
        guard all.count == 1 else {
            throw PKIError(
                .certificate,
                "\(folder.place(File.certificate)) has several certificates: an authority has one"
            )
        }
        self.path = path
        certificate = all[0]
    }

    /// All certificates that were issued, the oldest first.
    /// - Throws: `pki-missing`, `pki-permissions`, `pki-record`.
    public func list() throws(PKIError) -> [CertificateRecord] {
        try record(in: try SafeFolder(path, byRoot: false)).certificates
    }

    /// The list as hosts get it, also when a process ended between revoking and signing it.
    /// - Throws: as ``revoke(serial:now:)``.
    public func revocations(now: HostInstant) throws(PKIError) -> RevocationList {
        let folder = try SafeFolder(path, byRoot: false)
        return try folder.locked { () throws(PKIError) in
            try publish(try record(in: folder), in: folder, now: now)
        }
    }

    func record(in folder: SafeFolder) throws(PKIError) -> IssueRecord {
        try IssueRecord(parsing: try folder.read(File.record, .open), path: folder.place(File.record))
    }

    func write(_ record: IssueRecord, in folder: SafeFolder) throws(PKIError) {
        let path = folder.place(File.record)
        try folder.replace(File.record, try record.bytes(path: path), mode: 0o600)
    }

    /// - Throws: `pki-certificate` when the key is not the certificate's.
    func key(in folder: SafeFolder) throws(PKIError) -> P256.Signing.PrivateKey {
        let path = folder.place(File.key)
        let file = try PEMFile(parsing: try folder.read(File.key, .secret), path: path)
        guard file.certificates.isEmpty, file.keys.count == 1,
            file.keys[0].publicKey.rawRepresentation == certificate.key?.rawRepresentation
        else {
            throw PKIError(
                .certificate,
                "\(path) does not hold the key of \(folder.place(File.certificate)), and only that"
            )
        }
        return file.keys[0]
    }

    /// Signs the list that belongs to the record unless that was done already. Only under the lock.
    @discardableResult
    func publish(_ record: IssueRecord, in folder: SafeFolder, now: HostInstant) throws(PKIError) -> RevocationList {
        let path = folder.place(File.revocations)
        if try folder.has(File.revocations) {
            let lists = try RevocationList.all(in: try folder.read(File.revocations, .open), path: path)
            if let list = lists.first, lists.count == 1, list.sequence >= record.sequence {
                guard list.sequence == record.sequence else {
                    throw PKIError(
                        .record,
                        "\(folder.place(File.record)) is older than \(path), as after a restore: hosts would not take its lists. "
                            + "Put the newer one back"
                    )
                }
                try list.verify(with: certificate)
                return list
            }
        }
        let list = try RevocationList(
            sequence: record.sequence,
            issued: now,
            entries: record.revoked,
            signedBy: try key(in: folder)
        )
        try folder.replace(File.revocations, list.bytes, mode: 0o644)
        return list
    }
}
