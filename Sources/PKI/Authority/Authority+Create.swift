import Crypto
import Glibc
public import Time

extension Authority {
    /// Makes an authority with a new key. The folder is made (mode 0700), not those above it.
    /// - Parameter name: for people, as machines are named; two authorities may have the same.
    /// - Throws: `pki-exists` when there is one, or what remains of one; `pki-name`, `pki-validity`, `pki-permissions`, `pki-io`.
    public static func create(
        at path: String,
        name: String,
        validity: Span = defaultValidity,
        now: HostInstant
    ) throws(PKIError) -> Authority {
        try PeerName.check(name, of: "an authority")
        let end = try Self.end(of: validity, from: now)
        guard !path.hasPrefix("/") || mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .file("made", path) }
        let folder = try SafeFolder(path, byRoot: false)
        try folder.locked { () throws(PKIError) in
            try requireNone(in: folder)
            let key = P256.Signing.PrivateKey()
            let certificate = try Self.certificate(name, key, from: now - CertificateForm.backdating, to: end, path)
            let record = IssueRecord()
            let list = try RevocationList(sequence: record.sequence, issued: now, entries: [], signedBy: key)
            try folder.create(File.key, Array("\(key.pemRepresentation)\n".utf8), mode: 0o600)
            try folder.create(
                File.record,
                try record.bytes(path: folder.place(File.record)),
                mode: 0o600
            )
            try folder.create(File.revocations, list.bytes, mode: 0o644)
            // The last one: with it the authority exists.
            try folder.create(File.certificate, Array(certificate.pem.utf8), mode: 0o644)
        }
        return try Authority(openingAt: path)
    }

    /// - Throws: `pki-validity` unless the span is positive and ends before certificates' calendar does.
    static func end(of validity: Span, from now: HostInstant) throws(PKIError) -> HostInstant {
        let end = now + validity
        guard validity >= .seconds(1), end.nanosecondsSinceEpoch < .max, now.nanosecondsSinceEpoch > 0 else {
            throw PKIError(.validity, "a certificate cannot be valid for \(validity): it must be a second at least")
        }
        return end.toSecond
    }

    private static func requireNone(in folder: SafeFolder) throws(PKIError) {
        if try folder.has(File.certificate) {
            throw PKIError(.exists, "there is an authority in \(folder.path) already: it is kept")
        }
        for name in [File.key, File.record, File.revocations] where try folder.has(name) {
            throw PKIError(
                .exists,
                "\(folder.path) has parts of an authority without \(File.certificate): put that back, or remove the folder"
            )
        }
    }

    private static func certificate(
        _ name: String,
        _ key: P256.Signing.PrivateKey,
        from start: HostInstant,
        to end: HostInstant,
        _ path: String
    ) throws(PKIError) -> AuthorityCertificate {
        do {
            let certificate = try CertificateForm.authority(name: name, key: key, from: start, to: end)
            return try AuthorityCertificate(certificate, path: path)
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError(.certificate, "the authority's certificate cannot be made: \(error)")
        }
    }
}
