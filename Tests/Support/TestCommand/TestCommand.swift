import CShims
import Glibc

/// A program that a test waits for. It and all that it leaves behind get none of the test's descriptors: a server that lived on
/// with the sockets of other tests would keep them open when those tests close them.
public struct TestCommand: Error, CustomStringConvertible {
    /// Says what did not run, or how it ended.
    public let description: String

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - output: where its output goes; by default to where the test's goes.
    /// - Throws: unless it exits with 0.
    public static func run(_ command: [String], output: Int32 = 1) throws {
        var words = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = output
        options.standard_error = STDERR_FILENO
        var process: pid_t = 0
        var pidfd: Int32 = -1
        let result = fermata_spawn(words[0], &words, nil, &options, &process, &pidfd, nil)
        guard result == 0 else { throw TestCommand(description: "\(command[0]) cannot be started: errno \(-result)") }
        defer { close(pidfd) }
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while poll(&ended, 1, -1) < 0, errno == EINTR {}
        var end = fermata_exit()
        guard fermata_pidfd_reap(pidfd, &end) == 0, end.by_signal == 0, end.value == 0 else {
            throw TestCommand(
                description: "\(command) ended with \(end.by_signal == 0 ? "status" : "signal") \(end.value)"
            )
        }
    }
}
