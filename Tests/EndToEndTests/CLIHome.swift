import CShims
import FoundationEssentials
import Glibc

/// A state folder of a test's own, whose daemon, if one was started, ends with it.
struct CLIHome: Sendable {
    /// A temporary folder; the state folder is in it.
    let folder: String
    var path: String { "\(folder)/home" }
    var socket: String { "\(path)/control.sock" }
    /// Where machines have their RAM: memory, of this home alone, so that none of it outlives the test.
    var ramFolder: String { "/dev/shm/\(folder.split(separator: "/").last ?? "")" }

    static func with<Value>(_ body: (CLIHome) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/fermata-cli-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CLIError("no temporary folder: errno \(errno)") }
        let home = CLIHome(folder: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        try FileManager.default.createDirectory(atPath: home.ramFolder, withIntermediateDirectories: true)
        do {
            let value = try await body(home)
            await home.clear()
            return value
        } catch {
            await home.clear()
            throw error
        }
    }

    /// Of the daemon that holds the lock; nil when none does.
    var daemon: pid_t? {
        let lock = open("\(path)/daemon.lock", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return nil }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) != 0 else { return nil }
        let text = try? String(contentsOfFile: "\(path)/daemon.lock", encoding: .utf8)
        return text.flatMap { pid_t($0.split(separator: "\n").first ?? "") }
    }

    var log: String { (try? String(contentsOfFile: "\(path)/daemon.log", encoding: .utf8)) ?? "" }

    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    func clear() async {
        if let daemon {
            let pidfd = fermata_pidfd_open(daemon)
            if pidfd >= 0 {
                fermata_pidfd_signal(pidfd, SIGTERM)
                for _ in 0..<1_000 where self.daemon != nil { try? await Task.sleep(for: .milliseconds(10)) }
                if self.daemon != nil { fermata_pidfd_signal(pidfd, SIGKILL) }
                close(pidfd)
            }
        }
        for folder in [folder, ramFolder] { try? FileManager.default.removeItem(atPath: folder) }
    }
}
