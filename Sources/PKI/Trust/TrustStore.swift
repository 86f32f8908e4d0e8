/// All that one host knows of TLS, as its folder had it: who it is, and whom it believes. A value; to follow the folder's files, ask
/// ``hasChanged()`` now and then, and take ``reloaded()``.
public struct TrustStore: Sendable {
    enum File {
        static let authorities = "ca.pem"
        static let revocations = "revoked"
    }

    public let folder: String
    public let credentials: Credentials
    public let policy: TrustPolicy
    /// The name of the file that holds the credentials.
    public let credentialsFile: String
    private let stamps: [FileStamp?]

    /// Reads a host's folder:
    /// - `NAME.pem`: its credentials;
    /// - `ca.pem`: the authorities that it trusts. Without that file, those of the credentials;
    /// - `revoked`: for each of these authorities its revocation list, one after the other.
    /// - Parameters:
    ///   - folder: absolute.
    ///   - file: the name of the credentials' file; nil when there is only one beside `ca.pem` that ends in `.pem`.
    /// - Throws: `pki-missing`, `pki-permissions`, `pki-certificate`, `pki-revocations`, `pki-io`. Nothing is left out.
    public static func load(from folder: String, credentials file: String? = nil) throws(PKIError) -> TrustStore {
        let safe = try SafeFolder(folder, byRoot: true)
        let name = if let file { file } else { try credentialsFile(in: safe) }
        // Before anything is read: what is written meanwhile is seen as a change.
        let stamps = stamps(name, in: safe)
        let credentials = try Credentials(parsing: try safe.read(name, .secret), path: safe.place(name))
        let authorities = try authorities(in: safe) ?? credentials.authorities
        let path = safe.place(File.revocations)
        let lists = try RevocationList.all(in: try safe.read(File.revocations, .open), path: path)
        return TrustStore(
            folder: folder,
            credentials: credentials,
            policy: try TrustPolicy(authorities: authorities, revocations: lists),
            credentialsFile: name,
            stamps: stamps
        )
    }

    /// Whether a file is another one than was read. Cheap: looks at no contents. A folder that cannot be looked at has changed.
    public func hasChanged() -> Bool {
        guard let safe = try? SafeFolder(folder, byRoot: true) else { return true }
        return Self.stamps(credentialsFile, in: safe) != stamps
    }

    /// The folder as it is now. On an error this one stays good to use.
    /// - Throws: as ``load(from:credentials:)``; `pki-outdated` when a revocation list is older than the one here.
    public func reloaded() throws(PKIError) -> TrustStore {
        let store = try Self.load(from: folder, credentials: credentialsFile)
        try store.policy.requireSuccessor(of: policy)
        return store
    }

    static func authorities(in folder: SafeFolder) throws(PKIError) -> [AuthorityCertificate]? {
        guard try folder.has(File.authorities) else { return nil }
        let bytes = try folder.read(File.authorities, .open)
        return try AuthorityCertificate.all(inPEM: bytes, path: folder.place(File.authorities))
    }

    private static func stamps(_ credentials: String, in folder: SafeFolder) -> [FileStamp?] {
        [credentials, File.authorities, File.revocations].map { folder.stamp($0) }
    }

    private static func credentialsFile(in folder: SafeFolder) throws(PKIError) -> String {
        let files = try folder.names().filter { $0.hasSuffix(".pem") && $0 != File.authorities }
        guard let file = files.first, files.count == 1 else {
            throw PKIError(
                .missing,
                files.isEmpty
                    ? "\(folder.path) has no credentials: put the NAME.pem there that was issued for this host"
                    : "\(folder.path) has several credentials (\(files.prefix(5).joined(separator: ", "))): leave one"
            )
        }
        return file
    }
}
