import Glibc

extension TrustStore {
    /// Makes a host's folder of new credentials, or renews those in it: all that the host needs. A host that uses the folder sees the new
    /// ones as a whole or not at all.
    /// - Parameters:
    ///   - folder: absolute; made (mode 0700) if it is not there, not those above it.
    ///   - list: of the authority of the credentials, as it is now.
    /// - Returns: the name of the file with the credentials.
    /// - Throws: `pki-exists` when it has credentials of another name; `pki-permissions`, `pki-io`, and as ``load(from:credentials:)``.
    @discardableResult
    public static func equip(
        _ folder: String,
        with credentials: Credentials,
        _ list: RevocationList
    ) throws(PKIError) -> String {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .file("made", folder) }
        let safe = try SafeFolder(folder, byRoot: false)
        let file = "\(credentials.identity.name).pem"
        try safe.locked { () throws(PKIError) in
            let others = try safe.names().filter { $0.hasSuffix(".pem") && $0 != File.authorities && $0 != file }
            guard others.isEmpty else {
                throw PKIError(
                    .exists,
                    "\(folder) has credentials of another name already (\(others[0])): remove them, or name another folder"
                )
            }
            try safe.replace(File.revocations, list.bytes, mode: 0o644)
            try safe.replace(file, Array(try credentials.pem().utf8), mode: 0o600)
        }
        _ = try load(from: folder, credentials: file)
        return file
    }
}
