import HTTPTypes
import Hummingbird
public import Logging
import ServiceLifecycle
public import Time
import UnixSignals

/// The HTTP API of one control instance, on a UNIX socket that only its user can reach, and for browsers that he lets in.
public struct ConsoleServer: Sendable {
    let control: any Control
    let socket: ControlSocket
    let started: HostInstant
    let entrance: BrowserEntrance
    let logger: Logger
    /// A client that does not read its events, or a machine that hangs, must not keep the daemon for ever.
    var longestEnd: Duration? = .seconds(45)

    /// - Parameters:
    ///   - started: what the daemon tells as its own beginning.
    ///   - entrance: where browsers come in.
    public init(
        control: any Control,
        socket: ControlSocket,
        started: HostInstant,
        entrance: BrowserEntrance,
        logger: Logger
    ) {
        self.control = control
        self.socket = socket
        self.started = started
        self.entrance = entrance
        self.logger = logger
    }

    /// Serves until SIGTERM, SIGINT or a request to shut down; operations under way are called off then, and
    /// event streams end with their results.
    ///
    /// - Parameter onReady: called when clients can connect.
    /// - Throws: ``ControlSocketError`` when the socket cannot be had.
    public func run(onReady: @escaping @Sendable () -> Void = {}) async throws {
        try await serve(until: [.sigterm, .sigint], onReady: onReady)
    }

    /// - Parameter signals: a process that has other uses for them passes none.
    func serve(until signals: [UnixSignal], onReady: @escaping @Sendable () -> Void) async throws {
        try socket.claim()
        let (requests, ask) = AsyncStream.makeStream(of: Void.self)
        let routes = Routes(control: control, started: started, entrance: entrance) { ask.yield() }
        let application = Application(
            router: Self.router(routes),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: socket.path)),
            onServerRunning: { _ in
                do {
                    try socket.restrict()
                } catch {
                    // Its folder is private already.
                    logger.warning("socket not restricted", metadata: ["error": "\(error)"])
                }
                onReady()
            },
            logger: logger
        )
        var configuration = ServiceGroupConfiguration(
            services: [
                application, BrowserDoor(entrance: entrance, routes: routes, logger: logger),
                WindDown(control: control),
            ],
            gracefulShutdownSignals: signals,
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = longestEnd
        let group = ServiceGroup(configuration: configuration)
        defer { socket.remove() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in requests { await group.triggerGracefulShutdown() }
            }
            try await group.run()
            tasks.cancelAll()
        }
    }

    static func router(_ routes: Routes) -> Router<ConsoleContext> {
        let router = Router(context: ConsoleContext.self)
        router.middlewares.add(ProblemMiddleware())
        let byPath = Dictionary(grouping: routes.endpoints, by: \.path)
        for endpoints in byPath.values {
            for endpoint in endpoints {
                router.on(endpoint.routerPath, method: endpoint.method) { request, context in
                    try await endpoint.handler(
                        Call(
                            request: request,
                            parameters: context.parameters,
                            session: context.session,
                            channel: context.channel
                        )
                    )
                }
            }
            // The router itself would call a known path with another method unknown.
            let allowed = endpoints.map(\.method)
            guard let routerPath = endpoints.first?.routerPath else { continue }
            for method in Self.methods where !allowed.contains(method) {
                router.on(routerPath, method: method) { request, _ -> Response in
                    let names = allowed.map(\.rawValue).sorted()
                    var response = Answer.problem(.methodNotAllowed(method.rawValue, request.uri.path, allowed: names))
                    response.headers[.allow] = names.joined(separator: ", ")
                    return response
                }
            }
        }
        return router
    }

    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch,
    ]
}
