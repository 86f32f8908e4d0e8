import FoundationEssentials
import HostClock
import Hypervisor
import HypervisorAPI
import HypervisorRemote
import Logging
import PKI
import Synchronization
import Time

/// Another host, on this one: a state folder of its own, and an agent that is spoken to over mutual TLS.
final class Agent: Sendable {
    private struct State {
        var server: Task<Void, any Error>?
        var remote: RemoteHypervisor?
    }

    let home: String
    private let control: LiveTrust
    private let hypervisor: LiveTrust
    private let logger: Logger
    private let state = Mutex(State())

    init(in folder: TemporaryFolder) throws {
        var logger = Logger(label: "fermata.agent")
        logger.logLevel = .error
        self.logger = logger
        home = folder.file("far")
        let authority = try Authority.create(at: folder.file("pki"), name: "lab", now: .now)
        let trust = { (role: Role, name: String) throws in
            let path = folder.file("trust-\(name)")
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            try authority.issue(role: role, name: name, now: .now).write(to: "\(path)/\(name).pem")
            let list = Data(try authority.revocations(now: .now).bytes)
            try list.write(to: URL(filePath: "\(path)/revoked"))
            return LiveTrust(try TrustStore.load(from: path), logger: logger)
        }
        control = try trust(.control, "desk")
        hypervisor = try trust(.hypervisor, "test")
    }

    /// Serves `hypervisor` in place of the one before.
    func remote(_ local: LocalHypervisor, of control: String) async throws -> RemoteHypervisor {
        await end()
        // What tests start lies in the repository, in the cache, or in the test's own folder.
        let policy = AgentPolicy(
            binaries: ["/usr/bin/", "\(QEMUUnderTest.new.folder)/"],
            folders: ["/"],
            allowsArguments: true,
            allowsResources: true,
            allowsAdoption: true
        )
        let server = HypervisorServer(hypervisor: local, home: home, policy: policy, trust: hypervisor, logger: logger)
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        let serving = Task {
            defer { ready.finish() }
            try await server.serve(address: "127.0.0.1", port: 0) { ready.yield($0) }
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await serving.value
            throw TestSupportError("the agent did not start")
        }
        // One host's clock is itself, but nobody disciplines it in a test.
        let remote = RemoteHypervisor(
            host: "test",
            address: "127.0.0.1:\(port)",
            trust: { [trust = self.control] in trust },
            home: control,
            clockErrorLimit: .seconds(1)
        )
        state.withLock { $0 = State(server: serving, remote: remote) }
        return remote
    }

    func end() async {
        let old = state.withLock { state in
            defer { state = State() }
            return state
        }
        await old.remote?.close()
        old.server?.cancel()
        _ = await old.server?.result
    }
}
