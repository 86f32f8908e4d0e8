import FoundationEssentials
import Glibc
import JSON

/// The files of a checkpoint, for tests that damage them or put others in their place.
struct CheckpointFiles {
    let folder: String

    init(of lab: FaultLab, _ name: String) {
        folder = "\(lab.home.path)/checkpoints/\(lab.simulation)/\(name)"
    }

    func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(filePath: path(name))) }

    /// - Parameter offset: counted from the end when negative.
    func flip(_ name: String, at offset: Int) throws {
        var bytes = try bytes(name)
        bytes[offset < 0 ? bytes.count + offset : offset] ^= 0x10
        try write(bytes, to: name)
    }

    func truncate(_ name: String, by count: Int) throws { try write(bytes(name).dropLast(count), to: name) }

    /// Name and digest of everything in it, but for the seal, which comes in its own time.
    func contents() throws -> String {
        try Self.shell("cd '\(folder)' && find . -type f ! -name 'seal.json*' | LC_ALL=C sort | xargs sha256sum")
    }

    /// Changes the manifest and seals it anew: somebody who edits one knows how to.
    func edit(_ changes: [(path: String, value: JSONValue)]) throws {
        var manifest = try JSONValue(parsing: String(decoding: bytes("checkpoint.json"), as: UTF8.self))
        for change in changes {
            manifest = try Self.setting(
                change.path.split(separator: "/").map(String.init)[...],
                of: manifest,
                change.value
            )
        }
        try write(try manifest.encoded(.pretty), to: "checkpoint.json")
        try seal()
    }

    /// Everywhere in the manifest.
    func replace(_ old: String, with new: String) throws {
        let text = String(decoding: try bytes("checkpoint.json"), as: UTF8.self)
        guard text.contains(old) else { throw CLIError("no '\(old)' in the manifest") }
        try write(Array(text.replacing(old, with: new).utf8), to: "checkpoint.json")
        try seal()
    }

    private func seal() throws {
        _ = try Self.shell("cd '\(folder)' && sha256sum checkpoint.json > checkpoint.json.sha256")
    }

    /// Of the bytes from `offset` on.
    func digest(_ name: String, from offset: Int = 0) throws -> String {
        String(try Self.shell("tail -c +\(offset + 1) '\(path(name))' | sha256sum").prefix(64))
    }

    static func shell(_ command: String) throws -> String {
        guard let pipe = popen("{ \(command); } 2>&1", "r") else { throw CLIError("no shell: errno \(errno)") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer.prefix(count)
        }
        let text = String(decoding: output, as: UTF8.self)
        guard pclose(pipe) == 0 else { throw CLIError("'\(command)' failed: \(text)") }
        return text
    }

    private static func setting(
        _ path: ArraySlice<String>,
        of value: JSONValue,
        _ new: JSONValue
    ) throws -> JSONValue {
        guard let key = path.first else { return new }
        if var object = value.objectValue {
            object[key] = try setting(path.dropFirst(), of: object[key] ?? .object([:]), new)
            return .object(object)
        }
        guard var elements = value.arrayValue, let index = Int(key), elements.indices.contains(index) else {
            throw CLIError("no '\(key)' in the manifest")
        }
        elements[index] = try setting(path.dropFirst(), of: elements[index], new)
        return .array(elements)
    }
}
