import CShims
import Glibc
import Synchronization

/// Starts processes that end with this one, however it ends.
///
/// The kernel's parent-death signal is bound to the *thread* that spawned, and the threads of Swift's and Dispatch's pools come
/// and go; so one thread that never ends does all of it.
final class QtestSpawner: Sendable {
    static let shared = QtestSpawner()

    private struct Job: Sendable {
        var arguments: [String]
        var log: String
        var done: @Sendable (Result<SpawnedProcess, TestSupportError>) -> Void
    }

    private let jobs = Mutex<[Job]>([])
    /// A pipe: a byte for each job.
    private let bell: (read: Int32, write: Int32)

    private init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        bell = (ends[0], ends[1])
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<QtestSpawner>.fromOpaque(argument).takeUnretainedValue().run()
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
    }

    /// - Parameters:
    ///   - arguments: the program's path first.
    ///   - log: a file for what it writes.
    func spawn(_ arguments: [String], log: String) async throws -> SpawnedProcess {
        let result = await withCheckedContinuation { continuation in
            jobs.withLock { $0.append(Job(arguments: arguments, log: log) { continuation.resume(returning: $0) }) }
            var byte: UInt8 = 1
            _ = write(bell.write, &byte, 1)
        }
        return try result.get()
    }

    private func run() {
        var byte: UInt8 = 0
        while read(bell.read, &byte, 1) == 1 || errno == EINTR {
            guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
            job.done(Self.start(job))
        }
    }

    private static func start(_ job: Job) -> Result<SpawnedProcess, TestSupportError> {
        let log = open(job.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else { return .failure(TestSupportError("no log \(job.log): errno \(errno)")) }
        defer { close(log) }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = log
        options.standard_error = log
        options.new_process_group = 1
        options.parent_death_signal = SIGKILL
        var vector = job.arguments.map { strdup($0) } + [nil]
        defer { vector.forEach { free($0) } }
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let result = fermata_spawn(job.arguments[0], &vector, nil, &options, &pid, &pidfd, &stage)
        guard result == 0 else {
            return .failure(
                TestSupportError("\(job.arguments[0]) does not start: \(String(cString: strerror(-result)))")
            )
        }
        return .success(SpawnedProcess(pid: pid, pidfd: pidfd))
    }
}

/// A child process, killed and collected with the last reference to it.
final class SpawnedProcess: Sendable {
    let pid: pid_t
    private let pidfd: Int32

    init(pid: pid_t, pidfd: Int32) {
        self.pid = pid
        self.pidfd = pidfd
    }

    deinit {
        end()
        close(pidfd)
    }

    var hasEnded: Bool {
        var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }

    /// Kills it and waits until it is gone.
    func end() {
        _ = fermata_pidfd_signal(pidfd, SIGKILL)
        var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while Glibc.poll(&poll, 1, 10_000) < 0, errno == EINTR {}
        var exit = fermata_exit()
        _ = fermata_pidfd_reap(pidfd, &exit)
    }
}
