import Console
import ControlInstance
import FoundationEssentials
import Glibc
import HostClock
import HypervisorAPI
import Logging

/// `fermata serve`: one control instance, this host's hypervisor, and the API, in one process.
struct Daemon {
    private let home: Home
    private let socket: ControlSocket
    private let logger: Logger
    /// Held until the process ends.
    private let lock: FileLock

    init(home: Home, socketPath: String, log: LogOptions) async throws {
        // Whatever the user's umask: state, RAM and disks of machines are nobody else's to read.
        umask(0o077)
        DescriptorLimit.raise()
        try home.create()
        let home = try home.canonical()
        do {
            socket = try ControlSocket(path: socketPath)
        } catch {
            throw CommandFailure(.usage, code: "invalid-control", error.description)
        }
        lock = try await Self.lock(home)
        lock.write("\(getpid())\n")
        self.home = home
        logger = log.logger()
    }

    /// One that is just ending holds its lock a little longer than its socket.
    static func lock(_ home: Home) async throws -> FileLock {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            if let lock = try FileLock(path: home.daemonLock) { return lock }
            let isLive = (try? ControlSocket(path: home.socket).state()) == .live
            guard !isLive, ContinuousClock.now < deadline else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let holder = (try? String(contentsOfFile: home.daemonLock, encoding: .utf8))?.split(separator: "\n").first
        throw CommandFailure(
            .failed,
            code: "daemon-running",
            "a daemon\(holder.map { " (process \($0))" } ?? "") already serves \(home.path): use it, or end it with "
                + "'fermata serve --stop'"
        )
    }

    /// - Parameter onConsole: called with a link, if the web console is open from the beginning.
    func run(
        console opening: BrowserEntrance.Opening,
        onConsole: @escaping @Sendable (ConsoleAnswer) -> Void
    ) async throws {
        let started = SystemClock().now()
        let control: ControlInstance
        do {
            control = try await DaemonParts.controlInstance(
                home: home.path,
                environment: ProcessInfo.processInfo.environment,
                logger: logger
            )
            tell(await control.recover())
        } catch let error as ControlError {
            throw CommandFailure(problem: Problem(error))
        }
        let entrance = BrowserEntrance(opening)
        let server = ConsoleServer(
            control: control,
            socket: socket,
            started: started,
            entrance: entrance,
            logger: logger
        )
        do {
            try await server.run {
                logger.notice("ready", metadata: ["socket": "\(socket.path)", "version": "\(FermataVersion.current)"])
                guard case .atOnce = opening else { return }
                // Why it cannot be opened is in the log already.
                Task { if let link = try? await entrance.link() { onConsole(link) } }
            }
        } catch let error as ControlSocketError {
            await control.close()
            throw CommandFailure(.failed, code: "socket-unusable", error.description)
        }
        await control.close()
        logger.notice("ended; machines go on running")
        lock.release()
    }

    private func tell(_ recovery: RecoveryReport) {
        for operation in recovery.operations {
            logger.notice(
                "took up an interrupted operation",
                metadata: ["operation": "\(operation.operation)", "outcome": "\(operation.outcome.rawValue)"]
            )
        }
        for folder in recovery.removedFolders { logger.notice("removed what never became a checkpoint: \(folder)") }
        for checkpoint in recovery.foundCheckpoints { logger.notice("found checkpoint \(checkpoint)") }
        for problem in recovery.problems { logger.warning("\(problem)") }
    }
}
