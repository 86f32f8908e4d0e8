import FoundationEssentials
import Glibc

/// A file that a report will be written to: whether it can be is known before.
struct ReportFile {
    private let path: String

    /// Makes it if it is not there; what is in it stays until there is something else.
    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path, SystemError.text(errno)) }
        close(descriptor)
    }

    func write(_ data: Data) throws {
        do {
            try data.write(to: URL(filePath: path))
        } catch {
            throw Self.failure(path, SystemError.text(of: error))
        }
    }

    private static func failure(_ path: String, _ why: String) -> CommandFailure {
        CommandFailure(.failed, code: "file-not-writable", "the report \(path) cannot be written: \(why)")
    }
}
