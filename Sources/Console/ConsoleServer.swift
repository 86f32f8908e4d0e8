import HTTPTypes
import Hummingbird
public import Logging
import ServiceLifecycle
public import Time
import UnixSignals

/// The HTTP API of one control instance: on a UNIX socket that only its user can reach, for browsers that he lets in, and over TLS for
/// programs to which he gave a token.
public struct ConsoleServer: Sendable {
    let control: any Control
    let socket: ControlSocket
    let started: HostInstant
    let entrance: BrowserEntrance
    let tokens: TokenBook
    let keys: KeyBook
    let remote: RemoteEntrance?
    let logger: Logger
    /// A client that does not read its events, or a machine that hangs, must not keep the daemon for ever.
    var longestEnd: Duration? = .seconds(45)
    var limits = DoorLimits()

    /// - Parameters:
    ///   - started: what the daemon tells as its own beginning.
    ///   - entrance: where browsers come in.
    ///   - remote: where programs elsewhere come in; nil: nowhere.
    public init(
        control: any Control,
        socket: ControlSocket,
        started: HostInstant,
        entrance: BrowserEntrance,
        tokens: TokenBook,
        keys: KeyBook,
        remote: RemoteEntrance? = nil,
        logger: Logger
    ) {
        self.control = control
        self.socket = socket
        self.started = started
        self.entrance = entrance
        self.tokens = tokens
        self.keys = keys
        self.remote = remote
        self.logger = logger
    }

    /// Serves until SIGTERM, SIGINT or a request to shut down; operations under way are called off then, and
    /// event streams end with their results.
    ///
    /// - Parameter onReady: called when clients can connect.
    /// - Throws: ``ControlSocketError`` when the socket cannot be had, ``RemoteEntranceError`` when programs elsewhere cannot come in.
    public func run(onReady: @escaping @Sendable () -> Void = {}) async throws {
        try await serve(until: [.sigterm, .sigint], onReady: onReady)
    }

    /// - Parameter signals: a process that has other uses for them passes none.
    func serve(until signals: [UnixSignal], onReady: @escaping @Sendable () -> Void) async throws {
        try socket.claim()
        let (requests, ask) = AsyncStream.makeStream(of: Void.self)
        let routes = Routes(control: control, started: started, entrance: entrance, tokens: tokens, keys: keys) {
            ask.yield()
        }
        let application = Application(
            responder: OwnerDoor(api: Self.router(routes, limits).buildResponder()),
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
        var services: [any Service] = [
            application, BrowserDoor(entrance: entrance, routes: routes, limits: limits, logger: logger),
        ]
        if let remote {
            services.append(
                RemoteDoor(entrance: remote, tokens: tokens, routes: routes, limits: limits, logger: logger)
            )
        }
        var configuration = ServiceGroupConfiguration(
            // The last one ends first.
            services: (services + [WindDown(control: control)]).map(Self.endingInOrder),
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
            let running = Task { try await group.run() }
            try await withTaskCancellationHandler {
                try await running.value
            } onCancel: {
                Task { await group.triggerGracefulShutdown() }
            }
            tasks.cancelAll()
        }
    }

    /// A server that is cancelled while it accepts drops whom it has just let in, which is a trap in NIO: whatever ends one
    /// of them, a door that could not be opened too, all are shut down.
    private static func endingInOrder(_ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
        .init(
            service: service,
            successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup
        )
    }

    /// - Parameter limits: of one door, so of each door's own.
    static func router(_ routes: Routes, _ limits: DoorLimits = DoorLimits()) -> Router<ConsoleContext> {
        let router = Router(context: ConsoleContext.self)
        let streams = OpenStreams(limit: limits.streams)
        router.middlewares.add(ProblemMiddleware(endpoints: routes.endpoints))
        for endpoint in routes.endpoints {
            router.on(endpoint.routerPath, method: endpoint.method) { request, context -> Response in
                let call = Call(
                    request: request,
                    parameters: context.parameters,
                    caller: try admit(context, to: endpoint, request),
                    channel: context.channel
                )
                return try streams.hold(try await endpoint.handler(call), of: call.caller)
            }
        }
        return router
    }

    /// The one place where it is decided who may do what.
    private static func admit(_ context: ConsoleContext, to endpoint: Endpoint, _ request: Request) throws(Problem)
        -> Caller
    {
        let who = context.caller?.name ?? "nobody"
        let words: Logger.Metadata = [
            "who": "\(who)", "method": "\(request.method.rawValue)", "path": "\(request.uri.path.prefix(200))",
        ]
        do {
            let caller = try RouteAccess.of(endpoint).admit(context.caller, to: request.uri.path)
            if case .token = caller, request.method != .get { context.logger.notice("request", metadata: words) }
            return caller
        } catch {
            context.logger.warning(
                "refused a request",
                metadata: words.merging(["reason": "\(error.code)"]) { first, _ in first }
            )
            throw error
        }
    }
}
