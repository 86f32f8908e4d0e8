import FoundationEssentials
import Glibc

/// Files and folders that are whole after a crash or a loss of power.
enum DurableFolder {
    /// - Parameter followed: of a link, whether what it leads to counts.
    static func exists(_ path: String, followed: Bool = true) -> Bool {
        var status = stat()
        return (followed ? stat(path, &status) : lstat(path, &status)) == 0
    }

    /// - Throws: when they cannot be told: a folder that cannot be read is not an empty one.
    static func names(in folder: String) throws(ControlError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw ControlError(code: "file-failed", message: "the folder \(folder) cannot be listed: \(error)")
        }
    }

    /// Whether a path leads into a folder, by its words or by where it really leads: a state folder may have been moved, with a link in
    /// its old place.
    /// - Parameter folder: absolute, without links.
    static func isFile(_ path: String, in folder: String) -> Bool {
        if path.hasPrefix(folder + "/") { return true }
        guard path.hasPrefix("/"), let real = realpath(path, nil) else { return false }
        defer { free(real) }
        return String(cString: real).hasPrefix(folder + "/")
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Only for its owner, as what is in it (a guest's RAM) is nobody else's.
    static func create(_ folder: String) throws(ControlError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ControlError(code: "file-failed", message: "the folder \(folder) cannot be made: \(error)")
        }
        try syncFolder(parent(of: folder))
    }

    /// Never through a link: a folder that was copied here may have one that leads anywhere.
    static func write(_ bytes: [UInt8], to path: String) throws(ControlError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("created", path) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("written", path) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure("synced", path) }
    }

    static func read(_ path: String, limit: Int) throws(ControlError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("opened", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw ControlError(code: "file-failed", message: "\(path) is no file of a reasonable size")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes[filled...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }

    /// Makes every file and folder below durable, contents and names.
    static func syncTree(_ folder: String) throws(ControlError) {
        for name in try names(in: folder) {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { throw failure("read", path) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try syncTree(path)
            case S_IFREG: try sync(path, O_RDONLY)
            default: break
            }
        }
        try syncFolder(folder)
    }

    static func rename(_ old: String, to new: String) throws(ControlError) {
        guard Glibc.rename(old, new) == 0 else { throw failure("renamed to \(new)", old) }
        try syncFolder(parent(of: new))
    }

    /// Removing what is not there is no error.
    static func remove(_ path: String) throws(ControlError) {
        guard exists(path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw ControlError(code: "file-failed", message: "\(path) cannot be removed: \(error)")
        }
        try syncFolder(parent(of: path))
    }

    static func syncFolder(_ folder: String) throws(ControlError) { try sync(folder, O_RDONLY | O_DIRECTORY) }

    private static func sync(_ path: String, _ flags: Int32) throws(ControlError) {
        let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure("opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("synced", path) }
    }

    private static func parent(of path: String) -> String {
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return folder.isEmpty ? "/" : String(folder)
    }

    private static func failure(_ what: String, _ path: String) -> ControlError {
        ControlError(code: "file-failed", message: "\(path) cannot be \(what): \(String(cString: strerror(errno)))")
    }
}
