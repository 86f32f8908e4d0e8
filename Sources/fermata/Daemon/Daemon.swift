import Console
import ControlInstance
import FoundationEssentials
import Glibc
import HostClock
import HypervisorAPI
import HypervisorRemote
import Logging
import PKI

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

    /// - Parameters:
    ///   - listen: where the API is served over TLS, too; nil: nowhere.
    ///   - onConsole: called with a link, if the web console is open from the beginning.
    func run(
        console opening: BrowserEntrance.Opening,
        listen: ListenAddress?,
        onConsole: @escaping @Sendable (ConsoleAnswer) -> Void
    ) async throws {
        let started = SystemClock().now()
        // Before machines are looked for: without credentials there is nothing to begin.
        let remote = try listen.map { try remoteEntrance($0) }
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
            tokens: TokenBook(path: "\(home.path)/tokens.json", logger: logger),
            keys: KeyBook(path: "\(home.path)/keys.jsonl", logger: logger),
            remote: remote,
            logger: logger
        )
        do {
            try await server.run {
                logger.notice("ready", metadata: ["socket": "\(socket.path)", "version": "\(FermataVersion.current)"])
                ServiceManager.ready()
                guard case .atOnce = opening else { return }
                // Why it cannot be opened is in the log already.
                Task { if let link = try? await entrance.link() { onConsole(link) } }
            }
        } catch let error as ControlSocketError {
            await control.close()
            throw CommandFailure(.failed, code: "socket-unusable", error.description)
        } catch let error as RemoteEntranceError {
            await control.close()
            throw CommandFailure(.failed, code: "listen-failed", error.description)
        }
        await control.close()
        logger.notice("ended; machines go on running")
        lock.release()
    }

    private func remoteEntrance(_ listen: ListenAddress) throws(CommandFailure) -> RemoteEntrance {
        let trust: LiveTrust
        do {
            trust = LiveTrust(try TrustStore.load(from: home.trust), logger: logger)
        } catch {
            throw CommandFailure(
                .failed,
                code: error.code.rawValue,
                "the API cannot be served over TLS: \(error); 'fermata pki issue control NAME --address HOST' makes credentials"
            )
        }
        guard trust.identity.role == .control else {
            throw CommandFailure(
                .failed,
                code: "pki-certificate",
                "\(home.trust) has the credentials of \(trust.identity): the API over TLS needs those of a control"
            )
        }
        return RemoteEntrance(address: listen.address, port: listen.port, trust: trust)
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
