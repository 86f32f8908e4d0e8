import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

/// The API over TLS on a TCP port, until the daemon ends.
struct RemoteDoor: Service {
    /// How long answers that are under way have when the daemon ends.
    private static let patience: Duration = .seconds(2)

    let entrance: RemoteEntrance
    let tokens: TokenBook
    let routes: Routes
    let limits: DoorLimits
    let logger: Logger

    func run() async throws {
        let connections = OpenConnections(most: limits.connectionsOfOneAddress)
        let refusals = RefusalLog(logger)
        let trust = entrance.trust
        let api = ConsoleServer.router(routes, limits).buildResponder()
        let application = Application(
            responder: TokenGuard(tokens: tokens, logger: logger, api: api),
            server: HTTPServerBuilder {
                RemoteChannel(responder: $0, connections: connections, refusals: refusals, trust: trust)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(entrance.address, port: entrance.port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)
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
