import FoundationEssentials
import Glibc
import Hypervisor
import HypervisorRemote
import Logging
import PKI

/// `fermata agent`: this host's hypervisor and the way to it, in one process.
struct AgentDaemon {
    private let home: Home
    private let logger: Logger
    /// Held until the process ends.
    private let lock: FileLock

    init(home: Home, log: LogOptions) async throws {
        umask(0o077)
        DescriptorLimit.raise()
        try home.create()
        self.home = try home.canonical()
        lock = try await Daemon.lock(self.home)
        lock.write("\(getpid())\n")
        logger = log.logger()
    }

    /// - Parameter master: the control instance that it obeys; nil: any of its authority.
    func run(
        address: String,
        port: Int,
        policy: AgentPolicy,
        master: String?,
        sharedFolders: [String],
        environment: [String: String]
    ) async throws {
        let trust: LiveTrust
        do {
            trust = LiveTrust(try TrustStore.load(from: "\(home.path)/trust"), logger: logger)
        } catch {
            let advice =
                error.code == .missing
                ? ": 'fermata pki issue hypervisor NAME' on the control instance's host writes the folder NAME-trust, which "
                    + "is to be moved here as \(home.path)/trust" : ""
            throw CommandFailure(.failed, code: error.code.rawValue, "\(error)\(advice)")
        }
        guard trust.identity.role == .hypervisor else {
            throw CommandFailure(
                .failed,
                code: "pki-certificate",
                "\(home.path)/trust has the credentials of \(trust.identity): an agent needs those of a hypervisor"
            )
        }
        let hypervisor = try await LocalHypervisor(
            home: home.path,
            host: trust.identity.name,
            ramFolder: try DaemonParts.ramFolder(environment["FERMATA_RAM_FOLDER"] ?? ""),
            sharedFolders: sharedFolders,
            logger: logger
        )
        let server = HypervisorServer(
            hypervisor: hypervisor,
            home: home.path,
            policy: policy,
            trust: trust,
            master: master,
            logger: logger
        )
        do {
            try await server.run(address: address, port: port) { port in
                logger.notice("ready", metadata: ["host": "\(trust.identity.name)", "port": "\(port)"])
                ServiceManager.ready()
            }
        } catch {
            throw CommandFailure(
                .failed,
                code: "agent-failed",
                "the agent cannot serve at \(address):\(port): \(ListeningFailure.text(error, address: address, port: port))"
            )
        }
        logger.notice("ended; machines go on running")
        lock.release()
    }
}
