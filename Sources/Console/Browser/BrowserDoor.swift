import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The web console on a TCP port of this host's loopback, from when somebody wants it until the daemon ends.
struct BrowserDoor: Service {
    /// How long answers that are under way have when the daemon ends.
    private static let patience: Duration = .seconds(2)

    let entrance: BrowserEntrance
    let routes: Routes
    let limits: DoorLimits
    let logger: Logger

    func run() async throws {
        defer { entrance.end() }
        for await _ in entrance.wishes.cancelOnGracefulShutdown() {
            do {
                try await serve()
            } catch {
                // Somebody else has the port. Machines do not depend on it.
                logger.warning("the web console cannot be opened", metadata: ["error": "\(error)"])
                entrance.failed(error)
            }
        }
    }

    private func serve() async throws {
        let connections = OpenConnections()
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { BrowserChannel(responder: $0, connections: connections) },
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: entrance.wantedPort),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)
            ),
            onServerRunning: { [entrance, logger] channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice("web console open", metadata: ["port": "\(port)"])
                entrance.opened(at: port)
            },
            logger: logger
        )
        // A server that is shut down waits for its clients, and one that is cancelled drops what it has just accepted, which is a trap
        // in NIO. So it is shut down, and those who do not go by themselves are let go of.
        async let _: Void = {
            try await gracefulShutdown()
            try await Task.sleep(for: Self.patience)
            connections.close()
        }()
        try await application.run()
    }

    private var responder: BrowserGuard<RouterResponder<ConsoleContext>> {
        BrowserGuard(
            entrance: entrance,
            assets: .embedded,
            api: ConsoleServer.router(routes, limits).buildResponder()
        )
    }
}
