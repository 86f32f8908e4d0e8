import Glibc
import NIOCore

/// Where an export goes: somebody's descriptor, or a new file that gets its name only when it is whole.
final class ArchiveOutput: Sendable {
    private let descriptor: Int32
    private let name: String
    /// Of a file: what it is called until it is whole.
    private let partial: String?

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        partial = nil
    }

    /// - Parameter name: of a file that could lie in it.
    static func refuseFolder(_ path: String, instead name: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        throw CommandFailure(
            .usage,
            code: "file-not-writable",
            "\(path) is a folder, and an archive is one file: name it, such as \(folder)/\(name)"
        )
    }

    /// - Throws: when there is something of that name already.
    init(newFile name: String) throws {
        guard access(name, F_OK) != 0 else {
            throw CommandFailure(
                .refused,
                code: "file-exists",
                "\(name) is there already: remove it, or take another name"
            )
        }
        let partial = "\(name).partial"
        descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.name = name
        self.partial = partial
        guard descriptor >= 0 else { throw failure("created") }
    }

    deinit { if partial != nil, descriptor >= 0 { close(descriptor) } }

    func write(_ bytes: ByteBuffer) throws {
        try bytes.withUnsafeReadableBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw failure("written") }
                written += count
            }
        }
    }

    /// Durable, under its name.
    func complete() throws {
        guard let partial else { return }
        guard fsync(descriptor) == 0 else { throw failure("synced") }
        guard link(partial, name) == 0 || (errno != EEXIST && rename(partial, name) == 0) else {
            throw failure("named")
        }
        unlink(partial)
    }

    func remove() { if let partial { unlink(partial) } }

    private func failure(_ what: String) -> CommandFailure {
        CommandFailure(.failed, code: "file-not-writable", "\(name) cannot be \(what): \(SystemError.text(errno))")
    }
}
