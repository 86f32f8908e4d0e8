import CShims
import FoundationEssentials
import Glibc
import Synchronization

/// A program that is run to its end, with what it says. What it starts gets none of this process's descriptors.
struct Program: Sendable {
    struct Ended: Sendable {
        /// Of a signal N: 128 + N, as a shell tells it.
        let status: Int
        let output: Data
        let errors: Data
    }

    /// The name, looked for in `PATH` unless it has a slash.
    let name: String
    let environment: [String: String]

    /// When the task is cancelled it gets SIGINT, at which a verb calls its operation off.
    /// - Throws: `program-missing`.
    func run(_ words: [String]) async throws(FermataError) -> Ended {
        let run = Run()
        let path = try path()
        do {
            return try await withTaskCancellationHandler {
                try await OwnThread.run { () throws(FermataError) in try self.run(path, words, run) }
            } onCancel: {
                run.interrupt()
            }
        } catch let error as FermataError {
            throw error
        } catch {
            throw FermataError(code: "program-failed", "\(name): \(error)")
        }
    }

    private func path() throws(FermataError) -> String {
        if name.contains("/") { return name }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        guard let found = folders.map({ String("\($0)/\(name)") }).first(where: { access($0, X_OK) == 0 }) else {
            throw missing("it is not in PATH")
        }
        return found
    }

    private func missing(_ why: String) -> FermataError {
        FermataError(
            code: "program-missing",
            exitCode: 127,
            "the program '\(name)' cannot be run (\(why)): install fermata, or name it with FERMATA_BINARY"
        )
    }

    private func run(_ path: String, _ words: [String], _ run: Run) throws(FermataError) -> Ended {
        guard let output = Pipe(), let errors = Pipe() else {
            throw FermataError(code: "program-failed", "no pipe for \(name): \(String(cString: strerror(errno)))")
        }
        let arguments = ([path] + words).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = output.writing
        options.standard_error = errors.writing
        // What a terminal sends (ctrl-C) is for the tests; how they end decides what becomes of a verb.
        options.new_process_group = 1
        var process: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        var (mutableArguments, mutableVariables) = (arguments, variables)
        let result = fermata_spawn(path, &mutableArguments, &mutableVariables, &options, &process, &pidfd, &stage)
        guard result == 0 else { throw missing(String(cString: strerror(-result))) }
        run.began(pidfd)
        output.closeWriting()
        errors.closeWriting()
        let (said, complained) = Self.drain(output.reading, errors.reading)
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while poll(&ended, 1, -1) < 0, errno == EINTR {}
        var end = fermata_exit()
        run.reap(pidfd, &end)
        let status = Int(end.by_signal != 0 ? 128 + end.value : end.value)
        return Ended(status: status, output: said, errors: complained)
    }

    /// Both at once: a program that waits for room in the one would never end the other.
    private static func drain(_ first: Int32, _ second: Int32) -> (Data, Data) {
        var texts = [Data(), Data()]
        var open = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while open.contains(where: { $0.fd >= 0 }) {
            guard poll(&open, nfds_t(open.count), -1) >= 0 || errno == EINTR else { break }
            for index in open.indices where open[index].fd >= 0 && open[index].revents != 0 {
                let count = read(open[index].fd, &buffer, buffer.count)
                if count > 0 {
                    texts[index].append(contentsOf: buffer.prefix(count))
                } else if count == 0 || errno != EINTR {
                    open[index].fd = -1
                }
            }
        }
        return (texts[0], texts[1])
    }

    /// Whether it runs, for who cancels it from another thread.
    private final class Run: Sendable {
        private enum State {
            case toBegin(interrupted: Bool)
            case running(Int32)
            case over
        }

        private let state = Mutex(State.toBegin(interrupted: false))

        func began(_ pidfd: Int32) {
            state.withLock { state in
                if case .toBegin(interrupted: true) = state { fermata_pidfd_signal(pidfd, SIGINT) }
                state = .running(pidfd)
            }
        }

        func reap(_ pidfd: Int32, _ end: inout fermata_exit) {
            state.withLock { $0 = .over }
            fermata_pidfd_reap(pidfd, &end)
            close(pidfd)
        }

        func interrupt() {
            state.withLock { state in
                switch state {
                case .toBegin: state = .toBegin(interrupted: true)
                case .running(let pidfd): fermata_pidfd_signal(pidfd, SIGINT)
                case .over: break
                }
            }
        }
    }

    /// Both ends are closed with it at the latest.
    private final class Pipe {
        let reading: Int32
        private(set) var writing: Int32

        init?() {
            var ends: [Int32] = [-1, -1]
            // pipe2 does not reach Swift, and between pipe and fcntl whatever else a test starts could inherit it.
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
                return nil
            }
            (reading, writing) = (ends[0], ends[1])
        }

        func closeWriting() {
            close(writing)
            writing = -1
        }

        deinit {
            close(reading)
            if writing >= 0 { close(writing) }
        }
    }
}
