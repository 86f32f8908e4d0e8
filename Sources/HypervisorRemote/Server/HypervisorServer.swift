import HostClock
import Hummingbird
import HummingbirdCore
public import HypervisorAPI
public import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// A host's hypervisor as a service for control instances elsewhere: HTTPS with mutual TLS, and nothing else.
public struct HypervisorServer: Sendable {
    /// Reports and stages of a lab's operations stay open; what strangers hold open must not take the descriptors of machines.
    private static let mostConnections = 4096

    private let hypervisor: any Hypervisor
    private let home: String
    private let policy: AgentPolicy
    private let trust: LiveTrust
    private let master: String?
    private let logger: Logger

    /// - Parameters:
    ///   - home: the state folder of this host, absolute: checkpoints lie below it.
    ///   - master: the name of the control instance that is obeyed; nil: any that the trust knows.
    public init(
        hypervisor: any Hypervisor,
        home: String,
        policy: AgentPolicy,
        trust: LiveTrust,
        master: String? = nil,
        logger: Logger
    ) {
        self.master = master
        self.hypervisor = hypervisor
        self.home = home
        self.policy = policy
        self.trust = trust
        self.logger = logger
    }

    /// Serves until SIGTERM or SIGINT. What is armed then does not happen, and what runs goes on: the next one finds it.
    /// - Parameters:
    ///   - port: 0: any that is free.
    ///   - onReady: called with the port when clients can connect.
    /// - Throws: when it cannot listen there.
    public func run(address: String, port: Int, onReady: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        try await serve(address: address, port: port, until: [.sigterm, .sigint], onReady: onReady)
    }

    /// The same until its task is cancelled, for a process that has other uses for signals.
    public func serve(address: String, port: Int, onReady: @escaping @Sendable (Int) -> Void) async throws {
        try await serve(address: address, port: port, until: [], onReady: onReady)
    }

    private func serve(
        address: String,
        port: Int,
        until signals: [UnixSignal],
        onReady: @escaping @Sendable (Int) -> Void
    ) async throws {
        let folders = CheckpointFolders(home: home)
        let grants = GrantBook(logger: logger)
        let routes = HypervisorRoutes(
            hypervisor: hypervisor,
            folders: folders,
            policy: policy,
            grants: grants,
            fetches: PeerFetches(hypervisor: hypervisor, folders: folders, trust: trust),
            clock: SystemClock()
        )
        let router = Router(context: AgentContext.self)
        router.middlewares.add(RefusalMiddleware())
        router.middlewares.add(TrustMiddleware(trust: trust, master: master))
        routes.add(to: router)
        PeerRoutes(hypervisor: hypervisor, folders: folders, grants: grants).add(to: router)
        let (trust, master) = (trust, master)
        let application = Application(
            router: router,
            server: HTTPServerBuilder { responder in
                TrustedChannel(
                    base: HTTP1Channel(responder: responder, configuration: .init()),
                    trust: trust,
                    master: master,
                    grants: grants
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)
            ),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? port) },
            logger: logger
        )
        var configuration = ServiceGroupConfiguration(
            services: [application],
            gracefulShutdownSignals: signals,
            logger: logger
        )
        // Reports of instants that are hours away are waited for in connections.
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        // A server whose task is cancelled drops the connections that it has accepted and not yet handled, which is a trap in
        // NIO; one that is shut down handles them. So cancellation does not reach it, and shuts it down.
        let running = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }
}
