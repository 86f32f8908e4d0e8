import Glibc

/// Where an import comes from.
final class ArchiveInputFile: Sendable {
    let name: String
    /// nil when nobody knows, as of a pipe.
    let size: Int?
    let descriptor: Int32
    private let isOwn: Bool

    /// - Parameter path: nil or `-` for standard input.
    init(_ path: String?) throws {
        isOwn = path != nil && path != "-"
        name = isOwn ? path ?? "" : "standard input"
        descriptor = isOwn ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else {
            throw CommandFailure(
                .usage,
                code: "file-not-readable",
                "\(name) cannot be read: \(SystemError.text(errno))"
            )
        }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int(status.st_size) : nil
    }

    deinit { if isOwn, descriptor >= 0 { close(descriptor) } }

    /// - Returns: nothing at its end.
    func read() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandFailure(
                    .failed,
                    code: "file-not-readable",
                    "\(name) cannot be read: \(SystemError.text(errno))"
                )
            }
            return Array(buffer.prefix(count))
        }
    }
}
