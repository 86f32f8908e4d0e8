import FoundationEssentials
import Glibc

/// A small file of the state folder: whole after a crash, and believed only if nobody else could have written it.
struct PrivateFile: Sendable {
    struct Failure: Error {
        /// A clause.
        let why: String
    }

    let path: String

    /// - Returns: nil: it is not there.
    func read(limit: Int) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("it cannot be opened")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("it cannot be looked at") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw Failure(why: "it is no file of a reasonable size")
        }
        guard status.st_uid == geteuid() else { throw Failure(why: "it belongs to another user") }
        guard status.st_mode & 0o022 == 0 else { throw Failure(why: "others may write it") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes[filled...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(why: "it cannot be read to its end") }
            filled += count
        }
        return bytes
    }

    /// Beside its place, synced, renamed into it, the folder synced.
    func write(_ bytes: [UInt8]) throws(Failure) {
        let unfinished = path + ".new"
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure("its new version cannot be made") }
        let isWhole = Self.write(bytes, to: descriptor) && fsync(descriptor) == 0
        guard close(descriptor) == 0, isWhole, rename(unfinished, path) == 0 else {
            let failure = Self.failure("its new version cannot be written")
            unlink(unfinished)
            throw failure
        }
        try syncFolder()
    }

    /// At its end, synced; of a file that is there. After an error there may be a part of it.
    func append(_ bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw Self.failure("it cannot be opened") }
        defer { close(descriptor) }
        guard Self.write(bytes, to: descriptor), fdatasync(descriptor) == 0 else {
            throw Self.failure("it cannot be written")
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// A new name in a folder is durable only when the folder is.
    private func syncFolder() throws(Failure) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("its folder cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure("its folder cannot be synced") }
    }

    private static func failure(_ what: String) -> Failure {
        let number = errno
        return Failure(why: "\(what): \(String(cString: strerror(number)))")
    }
}
