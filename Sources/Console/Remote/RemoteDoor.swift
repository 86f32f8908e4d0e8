import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

/// The API over TLS on a TCP port, until the daemon ends.
struct RemoteDoor: Service {
    /// As for browsers: what is held open must not take the descriptors of machines.
    private static let mostConnections = 2048
    /// How long answers that are under way have when the daemon ends.
    private static let patience: Duration = .seconds(2)

    let entrance: RemoteEntrance
    let tokens: TokenBook
    let routes: Routes
    let logger: Logger

    func run() async throws {
        let connections = OpenConnections()
        let trust = entrance.trust
        let application = Application(
            responder: TokenGuard(tokens: tokens, logger: logger, api: ConsoleServer.router(routes).buildResponder()),
            server: HTTPServerBuilder { RemoteChannel(responder: $0, connections: connections, trust: trust) },
            configuration: ApplicationConfiguration(
                address: .hostname(entrance.address, port: entrance.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)
            ),
            onServerRunning: { [entrance, logger] channel in
                let port = channel.localAddress?.port ?? entrance.port
                logger.notice("API open", metadata: ["address": "\(entrance.address)", "port": "\(port)"])
                entrance.onOpen(port)
            },
            logger: logger
        )
        // As at the browsers' door: shut down, never cancelled.
        async let _: Void = {
            try await gracefulShutdown()
            try await Task.sleep(for: Self.patience)
            connections.close()
        }()
        do {
            try await application.run()
        } catch {
            throw RemoteEntranceError(
                description: "the API cannot be served at \(entrance.address):\(entrance.port): \(error)"
            )
        }
    }
}
