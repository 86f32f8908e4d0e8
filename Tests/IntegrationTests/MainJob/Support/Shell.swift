import Glibc

enum Shell {
    /// What a command writes to its standard output.
    /// - Throws: when it does not end with 0.
    static func output(_ command: String) throws -> String {
        guard let pipe = popen(command, "re") else { throw TestSupportError("cannot run '\(command)'") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        let status = pclose(pipe)
        guard status == 0 else { throw TestSupportError("'\(command)' ended with \(status)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
