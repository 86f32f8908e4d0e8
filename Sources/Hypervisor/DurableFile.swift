import FoundationEssentials
import Glibc
import HypervisorAPI

/// Small files that must be whole after a crash: written beside their place, synced, renamed into it, the folder synced.
enum DurableFile {
    /// Ends the name of a file that is being written and has no name of its own yet.
    static let unfinished = ".new"

    static func write(_ value: some Encodable, to path: String) throws(HypervisorError) {
        try write(encode(value, for: path), to: path)
    }

    /// On one line.
    /// - Parameter path: where it belongs, for the error.
    static func encode(_ value: some Encodable, for path: String) throws(HypervisorError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw HypervisorError(code: "internal", message: "\(path) cannot be encoded: \(error)")
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws(HypervisorError) {
        let temporary = path + unfinished
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HypervisorError.file("create", temporary) }
        guard writeAll(bytes, to: descriptor) else {
            let error = HypervisorError.file("write", temporary)
            close(descriptor)
            unlink(temporary)
            throw error
        }
        let synced = fsync(descriptor)
        guard close(descriptor) == 0, synced == 0, rename(temporary, path) == 0 else {
            let error = HypervisorError.file("write", path)
            unlink(temporary)
            throw error
        }
        try syncFolder(containing: path)
    }

    /// Behind what the file has; what of it cannot be made durable is taken back.
    /// - Returns: false when there is no such file.
    static func append(_ bytes: [UInt8], to path: String) throws(HypervisorError) -> Bool {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return false }
        guard descriptor >= 0 else { throw HypervisorError.file("open", path) }
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0, writeAll(bytes, to: descriptor), fdatasync(descriptor) == 0 else {
            let error = HypervisorError.file("write", path)
            if end >= 0 { ftruncate(descriptor, end) }
            throw error
        }
        return true
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                if errno == EINTR { continue }
                return false
            }
            written += count
        }
        return true
    }

    static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws(HypervisorError) -> Value {
        try decode(type, contents(of: path), of: path)
    }

    /// What was written at once and what was appended, if each was encoded and separated by a newline.
    static func lines(of path: String) throws(HypervisorError) -> [Data] {
        try contents(of: path).split(separator: UInt8(ascii: "\n"))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: Data, of path: String) throws(HypervisorError)
        -> Value
    {
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch {
            throw unreadable(path, error)
        }
    }

    private static func contents(of path: String) throws(HypervisorError) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            throw unreadable(path, error)
        }
    }

    private static func unreadable(_ path: String, _ error: any Error) -> HypervisorError {
        HypervisorError(code: "record-unreadable", message: "\(path) cannot be read: \(error)")
    }

    static func remove(_ path: String) throws(HypervisorError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw HypervisorError.file("remove", path) }
        try syncFolder(containing: path)
    }

    /// A new name in a folder is durable only when the folder is.
    static func syncFolder(containing path: String) throws(HypervisorError) {
        try syncFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    static func syncFolder(_ folder: String) throws(HypervisorError) {
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HypervisorError.file("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw HypervisorError.file("sync", folder) }
    }
}
