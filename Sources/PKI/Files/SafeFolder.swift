import Glibc

/// A folder that nobody else can write in, held open: its files are looked up in this very folder, whatever its path leads to later.
final class SafeFolder: Sendable {
    static let lockName = "lock"

    let path: String
    private let descriptor: Int32

    /// - Parameter byRoot: whether it may be root's.
    /// - Throws: `pki-missing`, `pki-permissions`, `pki-io`.
    init(_ path: String, byRoot: Bool) throws(PKIError) {
        guard path.hasPrefix("/") else {
            throw PKIError(.io, "the folder '\(path)' has to be named by an absolute path")
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("opened", path) }
        (self.path, self.descriptor) = (path, descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file("looked at", path) }
        guard status.st_uid == geteuid() || (byRoot && status.st_uid == 0) else {
            throw PKIError(.permissions, "the folder \(path) belongs to another user: it is not used")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw PKIError(
                .permissions,
                "others may write in the folder \(path): take that right away with 'chmod go-w \(path)'"
            )
        }
    }

    deinit { close(descriptor) }

    func place(_ name: String) -> String { "\(path)/\(name)" }

    func has(_ name: String) throws(PKIError) -> Bool {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        guard errno == ENOENT else { throw .file("looked at", place(name)) }
        return false
    }

    /// What lies in it, in order.
    func names() throws(PKIError) -> [String] {
        // A duplicate would share the place that was read to.
        let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0 else { throw .file("opened", path) }
        guard let listing = fdopendir(own) else {
            close(own)
            throw .file("listed", path)
        }
        defer { closedir(listing) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(listing) else { break }
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        guard errno == 0 else { throw .file("listed", path) }
        return names.sorted()
    }

    func read(_ name: String, _ secrecy: CheckedFile.Secrecy) throws(PKIError) -> [UInt8] {
        try CheckedFile.read(name, in: descriptor, path: place(name), secrecy)
    }

    /// - Throws: `pki-exists` when it is there.
    func create(_ name: String, _ bytes: [UInt8], mode: mode_t) throws(PKIError) {
        try CheckedFile.create(name, in: descriptor, path: place(name), bytes, mode: mode)
        try sync()
    }

    /// Whole and durable, or as before. Only while the lock is held: two at once would share the unfinished file.
    func replace(_ name: String, _ bytes: [UInt8], mode: mode_t) throws(PKIError) {
        let unfinished = name + ".new"
        guard unlinkat(descriptor, unfinished, 0) == 0 || errno == ENOENT else {
            throw .file("removed", place(unfinished))
        }
        try CheckedFile.create(unfinished, in: descriptor, path: place(unfinished), bytes, mode: mode)
        guard renameat(descriptor, unfinished, descriptor, name) == 0 else {
            let error = PKIError.file("replaced", place(name))
            unlinkat(descriptor, unfinished, 0)
            throw error
        }
        try sync()
    }

    /// Runs the body while no other process or thread holds the lock, and waits for those that do. The lock ends with the process,
    /// however that ends.
    func locked<Result>(_ body: () throws(PKIError) -> Result) throws(PKIError) -> Result {
        let file = openat(descriptor, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file("opened", place(Self.lockName)) }
        defer { close(file) }
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .file("locked", place(Self.lockName)) }
        }
        return try body()
    }

    /// What changes when a file is written, replaced or removed; nil for one that is not there.
    func stamp(_ name: String) -> FileStamp? {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? FileStamp(status) : nil
    }

    private func sync() throws(PKIError) {
        guard fsync(descriptor) == 0 else { throw .file("synced", path) }
    }
}
