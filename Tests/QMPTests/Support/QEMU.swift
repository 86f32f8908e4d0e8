import CShims
import Glibc
import QMP
import Testing
import Time

/// A QEMU that is installed: Debian's own 7.2, and 10.0 where the set-up has put it.
struct QEMUBinary: Sendable, CustomTestStringConvertible {
    let release: String
    let folder: String

    var testDescription: String { "QEMU \(release)" }

    func path(_ target: String = "x86_64") -> String { "\(folder)/qemu-system-\(target)" }

    static let all: [QEMUBinary] = {
        var found = [QEMUBinary(release: "7.2", folder: "/usr/bin")]
        let folder = getenv("FERMATA_QEMU_10").map { String(cString: $0) } ?? packageRoot + "/.cache/qemu-10.0/bin"
        if access(folder + "/qemu-system-x86_64", X_OK) == 0 {
            found.append(QEMUBinary(release: "10.0", folder: folder))
        } else {
            print("QEMU 10.0 is not in \(folder): its tests are skipped (tools/setup.sh brings it)")
        }
        return found
    }()

    /// Links resolved: Tests may be reached through one.
    private static let packageRoot: String = {
        let resolved = realpath(#filePath, nil)
        defer { free(resolved) }
        let path = resolved.map { String(cString: $0) } ?? #filePath
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    }()
}

/// A running process of ours; it is killed and collected with the object.
final class TestProcess: Sendable {
    let pid: Int32
    private let pidfd: Int32

    struct Failure: Error {
        let stage: Int32
        let errno: Int32
    }

    init(_ path: String, _ arguments: [String]) throws {
        let options = fermata_spawn_options(
            standard_input: -1,
            // Whoever waits for the end of our output must not wait for a QEMU that outlived us.
            standard_output: -1,
            standard_error: -1,
            inherited: nil,
            inherited_as: nil,
            inherited_count: 0,
            working_directory: nil,
            new_session: 0,
            new_process_group: 1,
            parent_death_signal: 0,
            ignored_signals: 0
        )
        var strings: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for string in strings { free(string) } }
        var pid: pid_t = -1
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let code = withUnsafePointer(to: options) {
            fermata_spawn(path, &strings, nil, $0, &pid, &pidfd, &stage)
        }
        guard code == 0 else { throw Failure(stage: stage, errno: -code) }
        self.pid = pid
        self.pidfd = pidfd
    }

    deinit {
        signal(SIGKILL)
        wait()
        close(pidfd)
    }

    func signal(_ number: Int32) { fermata_pidfd_signal(pidfd, number) }

    func wait() {
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        poll(&ended, 1, -1)
        var result = fermata_exit()
        fermata_pidfd_reap(pidfd, &result)
    }
}

/// A machine with a monitor.
final class QEMU: Sendable {
    let process: TestProcess
    let address: QMPAddress
    let folder: TemporaryFolder

    /// Paused, without devices, until `extra` says otherwise.
    init(_ binary: QEMUBinary, machine: String = "none", extra: [String] = []) async throws {
        folder = TemporaryFolder()
        address = .unix(folder.file("qmp"))
        process = try TestProcess(
            binary.path(),
            ["-M", machine, "-S", "-nodefaults", "-display", "none", "-qmp", "\(address),server=on,wait=off"] + extra
        )
    }

    /// Connects as soon as it listens. What counts is when an attempt began: beside tests that compute for minutes, its result
    /// is seen much later.
    func connect() async throws -> QMPConnection {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let began = ContinuousClock.now
            do {
                return try await QMPConnection.connect(to: address, timeout: .seconds(60))
            } catch {
                guard case .connectFailed = error.code, began < end else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// What QEMU's descriptors refer to.
    func openFiles() -> [String] {
        var names: [String] = []
        guard let folder = opendir("/proc/\(process.pid)/fd") else { return [] }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(process.pid)/fd/\(name)", &buffer, buffer.count)
            if count > 0 {
                names.append(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
        }
        return names
    }
}
