import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 on a connection that is known to ``OpenConnections``.
struct BrowserChannel: HTTPChannelHandler {
    private let base: HTTP1Channel
    private let connections: OpenConnections

    init(responder: @escaping HTTPChannelHandler.Responder, connections: OpenConnections) {
        // Browsers send a kilobyte or two. Who says nothing, or never ends what he says, makes room for others.
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [UnwantedBody()],
            idleTimeout: .seconds(75),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16_384,
                maxHeaderListSize: 32_768,
                maxHeaderFieldCount: 100
            )
        )
        base = HTTP1Channel(responder: responder, configuration: configuration)
        self.connections = connections
    }

    var responder: HTTPChannelHandler.Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        connections.add(channel)
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
