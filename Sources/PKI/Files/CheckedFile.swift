import Glibc

/// Reads files only if nobody else could have written them and, for keys, nobody else can read them.
enum CheckedFile {
    enum Secrecy { case secret, open }

    /// Far more than any of them needs.
    static let limit = 16 << 20

    /// - Parameters:
    ///   - name: in the folder of the descriptor, or a path.
    ///   - path: for messages.
    /// - Throws: `pki-missing`, `pki-permissions`, `pki-io`.
    static func read(
        _ name: String,
        in folder: Int32 = AT_FDCWD,
        path: String,
        _ secrecy: Secrecy
    ) throws(PKIError) -> [UInt8] {
        // Not waiting for the writer of a pipe that lies there.
        let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file("opened", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file("looked at", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PKIError(.permissions, "\(path) is no regular file") }
        try check(status, path, secrecy)
        return try readToEnd(descriptor, path)
    }

    private static func check(_ status: stat, _ path: String, _ secrecy: Secrecy) throws(PKIError) {
        // What root wrote may be trusted, but a key belongs to who uses it.
        guard status.st_uid == geteuid() || (secrecy == .open && status.st_uid == 0) else {
            throw PKIError(.permissions, "\(path) belongs to another user: it is not used")
        }
        switch secrecy {
        case .secret where status.st_mode & 0o077 != 0:
            throw PKIError(
                .permissions,
                "\(path) holds a key that others may read or write: 'chmod 600 \(path)', and issue another one if they did"
            )
        case .open where status.st_mode & 0o022 != 0:
            throw PKIError(.permissions, "others may write \(path): take that right away with 'chmod go-w \(path)'")
        case .secret, .open: break
        }
    }

    private static func readToEnd(_ descriptor: Int32, _ path: String) throws(PKIError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw PKIError(.io, "\(path) is too large: it has more than 16 MiB") }
        }
    }

    /// Makes a file that is not there, whole and durable but for its name; its folder has to be synced.
    /// - Throws: `pki-exists`; after any error there is no file.
    static func create(
        _ name: String,
        in folder: Int32 = AT_FDCWD,
        path: String,
        _ bytes: [UInt8],
        mode: mode_t
    ) throws(PKIError) {
        let descriptor = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .file("made", path) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        let done = written == bytes.count && fsync(descriptor) == 0
        var number = errno
        if close(descriptor) != 0, done { number = errno } else if done { return }
        unlinkat(folder, name, 0)
        throw .file("written", path, number)
    }
}
