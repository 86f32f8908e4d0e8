import FoundationEssentials
import Glibc

/// A folder of a test's own, gone with the object.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/fermata-archive-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no temporary folder: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Everything below, as `find` lists it.
    var contents: [String] { ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted() }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }

    func make(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        return "\(path)/\(name)"
    }

    /// A file of some pieces at their offsets, and holes between them and up to its size.
    func write(_ name: String, size: Int, _ pieces: [(offset: Int, bytes: [UInt8])]) throws {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(name): errno \(errno)") }
        defer { close(descriptor) }
        for piece in pieces {
            guard pwrite(descriptor, piece.bytes, piece.bytes.count, off_t(piece.offset)) == piece.bytes.count else {
                throw Failure("\(name): errno \(errno)")
            }
        }
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw Failure("\(name): errno \(errno)") }
    }

    /// What the file takes on the disk.
    func allocated(_ name: String) -> Int {
        var status = stat()
        return stat("\(path)/\(name)", &status) == 0 ? Int(status.st_blocks) * 512 : -1
    }

    /// What a command says, by a program that the module under test has no part in.
    static func shell(_ command: String) throws -> String {
        guard let pipe = popen(command + " 2>&1", "re") else { throw Failure("cannot run '\(command)'") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        let status = pclose(pipe)
        let text = String(decoding: bytes, as: UTF8.self)
        guard status == 0 else { throw Failure("'\(command)' ended with \(status): \(text)") }
        return text
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
