import Glibc

extension Credentials {
    /// - Throws: `pki-missing`, `pki-permissions` unless it is this user's alone to read, `pki-certificate`, `pki-io`.
    public init(readingFrom path: String) throws(PKIError) {
        try self.init(parsing: try CheckedFile.read(path, path: path, .secret), path: path)
    }

    /// Makes a file (mode 0600) that is durable when this returns.
    /// - Throws: `pki-exists` when there is one; after any error there is none.
    public func write(to path: String) throws(PKIError) {
        try CheckedFile.create(path, path: path, Array(try pem().utf8), mode: 0o600)
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("opened", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .file("synced", folder) }
    }
}
