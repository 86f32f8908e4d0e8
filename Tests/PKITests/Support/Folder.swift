import FoundationEssentials
import Glibc

/// A folder of a test's own, gone with the object.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/fermata-pki-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no temporary folder: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func place(_ name: String) -> String { "\(path)/\(name)" }

    func make(_ name: String) throws -> String {
        guard mkdir(place(name), 0o700) == 0 else { throw Failure("\(name): errno \(errno)") }
        return place(name)
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: place(name)))) }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    /// In place of what is there, under another inode, as `mv` leaves it.
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws {
        try Data(bytes).write(to: URL(filePath: place(name) + ".tmp"))
        try setMode(name + ".tmp", mode)
        guard rename(place(name) + ".tmp", place(name)) == 0 else { throw Failure("\(name): errno \(errno)") }
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        try write(name, Array(text.utf8), mode: mode)
    }

    func remove(_ name: String) throws {
        guard unlink(place(name)) == 0 else { throw Failure("\(name): errno \(errno)") }
    }

    /// `.` is the folder itself.
    func setMode(_ name: String, _ mode: mode_t) throws {
        guard chmod(place(name), mode) == 0 else { throw Failure("\(name): errno \(errno)") }
    }

    func mode(_ name: String) throws -> mode_t {
        var status = stat()
        guard lstat(place(name), &status) == 0 else { throw Failure("\(name): errno \(errno)") }
        return status.st_mode & 0o7777
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// What a command says, by a program that the module under test has no part in.
    static func shell(_ command: String) throws -> String {
        guard let pipe = popen("(\(command)) 2>&1", "re") else { throw Failure("cannot run '\(command)'") }
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
