import CShims
import Console
import Dispatch
import Glibc

/// A program that somebody named, to be run as a shell would.
struct Program: Sendable {
    let words: [String]
    private let path: String

    /// - Parameter search: `PATH`.
    /// - Throws: with 127 when there is none of that name, with 126 when it cannot be run, as `env` and shells do.
    init(_ words: [String], search: String) throws {
        self.words = words
        let name = words.first ?? ""
        let candidates =
            name.contains("/")
            ? [name]
            : search.split(separator: ":", omittingEmptySubsequences: false).map { "\($0.isEmpty ? "." : $0)/\(name)" }
        if let found = candidates.first(where: { Self.isFile($0) && access($0, X_OK) == 0 }) {
            path = found
            return
        }
        if let found = candidates.first(where: { Self.exists($0) }) {
            throw Self.failure(126, "command-not-runnable", "\(found) is no program that you may run")
        }
        throw Self.failure(127, "command-not-found", "there is no command '\(name)'")
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// In this process's group, so that a terminal's signals reach it, with this process's standard input and outputs.
    /// - Returns: a pidfd.
    /// - Throws: with 126.
    func start(environment: [String: String], ignoring signals: UInt64) throws -> Int32 {
        let arguments = CStringArray(words)
        let variables = CStringArray(environment.map { "\($0)=\($1)" })
        var options = fermata_spawn_options()
        options.standard_input = STDIN_FILENO
        options.standard_output = STDOUT_FILENO
        options.standard_error = STDERR_FILENO
        options.ignored_signals = signals
        var process: pid_t = 0
        var pidfd: Int32 = -1
        let result = fermata_spawn(path, arguments.pointer, variables.pointer, &options, &process, &pidfd, nil)
        guard result == 0 else {
            throw Self.failure(126, "command-not-runnable", "\(path) cannot be run: \(SystemError.text(-result))")
        }
        return pidfd
    }

    /// - Returns: its exit status, or 128 and the number of the signal that ended it.
    static func end(of pidfd: Int32) async -> Int32 {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "fermata.command").async {
                var end = fermata_exit()
                while true {
                    var ready = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                    _ = poll(&ready, 1, -1)
                    let result = fermata_pidfd_reap(pidfd, &end)
                    if result == 0 { break }
                    guard result == -EAGAIN || result == -EINTR else {
                        continuation.resume(returning: 126)
                        return
                    }
                }
                continuation.resume(returning: end.by_signal != 0 ? 128 + end.value : end.value)
            }
        }
    }

    private static func failure(_ status: Int, _ code: String, _ what: String) -> CommandFailure {
        CommandFailure(problem: Problem(code: code, detail: what, exitCode: status))
    }
}
