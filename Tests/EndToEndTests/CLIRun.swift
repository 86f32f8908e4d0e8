import CShims
import FoundationEssentials
import Glibc

/// The built program, run as somebody at a shell runs it.
struct CLIRun: Sendable {
    let status: Int32
    let output: String
    let errors: String

    var outputLines: [String] { output.split(separator: "\n").map { String($0) } }

    /// `fermata` beside the test bundle, where `swift build` puts both.
    static var program: String {
        if let named = ProcessInfo.processInfo.environment["FERMATA_BINARY"] { return named }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/fermata"
    }

    /// - Parameter whileRunning: called with the process's id once it runs.
    /// - Throws: when the program cannot be started, or does not end for a very long time (it is then killed).
    static func fermata(
        _ arguments: [String],
        in home: CLIHome,
        environment extra: [String: String] = [:],
        folder: String? = nil,
        whileRunning: @Sendable (pid_t) async throws -> Void = { _ in }
    ) async throws -> CLIRun {
        try await follow(arguments, in: home, environment: extra, folder: folder) { try await whileRunning($0.id) }
    }

    /// As ``fermata(_:in:environment:folder:whileRunning:)``, for who waits for what it prints.
    static func follow(
        _ arguments: [String],
        in home: CLIHome,
        environment extra: [String: String] = [:],
        folder: String? = nil,
        _ following: @Sendable (RunningCommand) async throws -> Void
    ) async throws -> CLIRun {
        var environment = ["HOME": home.folder, "FERMATA_HOME": home.path, "PATH": "/usr/bin:/bin", "TZ": "UTC"]
        environment["FERMATA_RAM_FOLDER"] = home.ramFolder
        environment.merge(extra) { $1 }
        let outputs = ["out", "err"].map { "\(home.folder)/\($0)-\(UUID().uuidString)" }
        let descriptors = outputs.map { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        defer { for descriptor in descriptors { close(descriptor) } }
        let process = try spawn([program] + arguments, environment, descriptors, folder ?? home.folder)
        defer { close(process.pidfd) }
        let status: Int32
        do {
            try await following(RunningCommand(id: process.id, output: outputs[0]))
            status = try await wait(for: process.pidfd, "fermata \(arguments.joined(separator: " "))")
        } catch {
            fermata_pidfd_signal(process.pidfd, SIGKILL)
            throw error
        }
        let texts = outputs.map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
        return CLIRun(status: status, output: texts[0], errors: texts[1])
    }

    private static func spawn(
        _ arguments: [String],
        _ environment: [String: String],
        _ descriptors: [Int32],
        _ folder: String
    ) throws -> (id: pid_t, pidfd: Int32) {
        let words = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = descriptors[0]
        options.standard_error = descriptors[1]
        options.new_process_group = 1
        var id: pid_t = 0
        var pidfd: Int32 = -1
        let result = folder.withCString { folder in
            options.working_directory = folder
            var words = words
            var variables = variables
            return fermata_spawn(words[0], &words, &variables, &options, &id, &pidfd, nil)
        }
        guard result == 0 else { throw CLIError("cannot start \(arguments[0]): errno \(-result)") }
        return (id, pidfd)
    }

    /// Unpacks a file into a new one.
    static func unpack(_ packed: String, to path: String) async throws {
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw CLIError("cannot write \(path): errno \(errno)") }
        defer { close(output) }
        let process = try spawn(["/usr/bin/xz", "-dc", packed], [:], [output, STDERR_FILENO], "/")
        defer { close(process.pidfd) }
        let status = try await wait(for: process.pidfd, "xz")
        guard status == 0 else { throw CLIError("xz cannot unpack \(packed): \(status)") }
    }

    private static func wait(for pidfd: Int32, _ what: String) async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            var end = fermata_exit()
            if fermata_pidfd_reap(pidfd, &end) == 0 { return end.by_signal != 0 ? -end.value : end.value }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CLIError("'\(what)' does not end")
    }
}

struct CLIError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
