import CShims
import Console
import FoundationEssentials
import Glibc

/// Starts a daemon of this user in the background, as `adb` does: in a session of its own, its output in a log.
struct DaemonLauncher {
    let home: Home
    let socket: ControlSocket
    let environment: [String: String]
    let executable: String

    /// How long a daemon may take to answer. It opens its database and looks for machines that still run.
    static let patience: Duration = .seconds(60)

    /// Returns when a daemon answers, started by us or by somebody at the same time.
    ///
    /// - Returns: whether we started it.
    func ensureRunning() async throws -> Bool {
        if try state() == .live { return false }
        try home.create()
        let lock = try await startLock()
        defer { lock.release() }
        if try state() == .live { return false }
        let logged = size(ofFileAt: home.daemonLog)
        let pidfd = try spawn()
        defer { close(pidfd) }
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if try state() == .live { return true }
            var end = fermata_exit()
            if fermata_pidfd_reap(pidfd, &end) == 0 {
                throw failure(
                    "the daemon ended at once (\(end.by_signal != 0 ? "signal" : "exit status") \(end.value))",
                    logged
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        fermata_pidfd_signal(pidfd, SIGTERM)
        throw failure(
            "the daemon did not answer within \(Self.patience.components.seconds) s and was told to end",
            logged
        )
    }

    private func state() throws -> ControlSocket.State {
        do {
            return try socket.state()
        } catch {
            throw CommandFailure(.failed, code: "daemon-unreachable", error.description)
        }
    }

    /// Two clients at once: the second waits until the first one's daemon answers, then uses it.
    private func startLock() async throws -> FileLock {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let lock = try FileLock(path: home.startLock) { return lock }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .failed,
                    code: "daemon-start-failed",
                    "another fermata has been starting a daemon for \(Self.patience.components.seconds) s (it holds "
                        + "\(home.startLock)): see \(home.daemonLog)"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static let clientVariables: Set = [
        "FERMATA_TOKEN", "FERMATA_TOKEN_FILE", "FERMATA_CONTROL", "FERMATA_CONTROL_CA",
    ]

    private func spawn() throws -> Int32 {
        let log = open(home.daemonLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else {
            throw CommandFailure(
                .failed,
                code: "home-not-writable",
                "the daemon's log \(home.daemonLog) cannot be written: \(SystemError.text(errno))"
            )
        }
        defer { close(log) }
        // What is a client's alone would be readable in the daemon, and in all that it starts, for as long as they run.
        var environment = environment.filter { !Self.clientVariables.contains($0.key) }
        environment["FERMATA_HOME"] = home.path
        let arguments = CStringArray([executable, "serve", "--socket", socket.path])
        let variables = CStringArray(environment.map { "\($0)=\($1)" })
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = log
        options.standard_error = log
        options.new_session = 1
        var process: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let result = "/".withCString { root in
            options.working_directory = root
            return fermata_spawn(executable, arguments.pointer, variables.pointer, &options, &process, &pidfd, &stage)
        }
        guard result == 0 else {
            throw CommandFailure(
                .failed,
                code: "daemon-start-failed",
                "the daemon \(executable) cannot be started: \(SystemError.text(-result))"
            )
        }
        return pidfd
    }

    private func failure(_ what: String, _ logged: Int) -> CommandFailure {
        let text = (try? Data(contentsOf: URL(filePath: home.daemonLog))).map {
            String(decoding: $0.dropFirst(logged), as: UTF8.self)
        }
        let last = (text ?? "").split(separator: "\n").suffix(8).joined(separator: "\n  ")
        let said =
            last.isEmpty ? "its log \(home.daemonLog) says nothing" : "its log \(home.daemonLog) says:\n  \(last)"
        return CommandFailure(.failed, code: "daemon-start-failed", "\(what); \(said)")
    }

    private func size(ofFileAt path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
