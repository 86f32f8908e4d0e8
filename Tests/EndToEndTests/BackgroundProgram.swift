import CShims
import Glibc

/// Any program, beside what a test does.
final class BackgroundProgram: Sendable {
    private let pidfd: Int32

    init(_ arguments: [String], _ environment: [String: String] = [:]) throws {
        let all = environment.merging(["PATH": "/usr/bin:/bin"]) { first, _ in first }
        let words = arguments.map { strdup($0) } + [nil]
        let variables = all.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = STDOUT_FILENO
        options.standard_error = STDERR_FILENO
        options.new_process_group = 1
        var id: pid_t = 0
        var descriptor: Int32 = -1
        let result = "/".withCString { folder in
            options.working_directory = folder
            var words = words
            var variables = variables
            return fermata_spawn(words[0], &words, &variables, &options, &id, &descriptor, nil)
        }
        guard result == 0 else { throw CLIError("cannot start \(arguments[0]): errno \(-result)") }
        pidfd = descriptor
    }

    /// Once it has ended, only takes note of that.
    func kill() {
        fermata_pidfd_signal(pidfd, SIGKILL)
        var end = fermata_exit()
        while fermata_pidfd_reap(pidfd, &end) == -EAGAIN { usleep(1_000) }
    }

    deinit { close(pidfd) }
}
