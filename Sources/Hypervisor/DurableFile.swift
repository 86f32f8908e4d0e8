import FoundationEssentials
import Glibc
import HypervisorAPI

/// Small files that must be whole after a crash: written beside their place, synced, renamed into it, the folder synced.
enum DurableFile {
    /// Ends the name of a file that is being written and has no name of its own yet.
    static let unfinished = ".new"

    static func write(_ value: some Encodable, to path: String) throws(HypervisorError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(value))
        } catch {
            throw HypervisorError(code: "internal", message: "\(path) cannot be encoded: \(error)")
        }
        try write(bytes, to: path)
    }

    static func write(_ bytes: [UInt8], to path: String) throws(HypervisorError) {
        let temporary = path + unfinished
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HypervisorError.file("create", temporary) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                let error = HypervisorError.file("write", temporary)
                close(descriptor)
                unlink(temporary)
                throw error
            }
            written += count
        }
        let synced = fsync(descriptor)
        guard close(descriptor) == 0, synced == 0, rename(temporary, path) == 0 else {
            let error = HypervisorError.file("write", path)
            unlink(temporary)
            throw error
        }
        try syncFolder(containing: path)
    }

    static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws(HypervisorError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw HypervisorError(code: "record-unreadable", message: "\(path) cannot be read: \(error)")
        }
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
