import Hummingbird
import HummingbirdCore
import HypervisorRemote
import Logging
import NIOCore
import NIOSSL

/// HTTP/1.1 over TLS, each connection with the certificate of its moment. Clients show none: they have tokens.
struct RemoteChannel: HTTPChannelHandler {
    private let base: HTTP1Channel
    private let connections: OpenConnections
    private let refusals: RefusalLog
    private let trust: LiveTrust

    init(
        responder: @escaping HTTPChannelHandler.Responder,
        connections: OpenConnections,
        refusals: RefusalLog,
        trust: LiveTrust
    ) {
        // Strangers reach it: who says nothing, or never ends what he says, makes room for others.
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
        self.refusals = refusals
        self.trust = trust
    }

    var responder: HTTPChannelHandler.Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        guard connections.add(channel) else {
            refusals.refused(channel, limit: connections.most)
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        let trust = trust
        let setup: EventLoopFuture<HTTP1Channel.Value> = channel.eventLoop.makeCompletedFuture {
            // A lease ends with its connection, also when the other host is gone without a word.
            try KeepAlive.enable(on: channel)
            let handler = NIOSSLServerHandler(context: try trust.openServerContext())
            try channel.pipeline.syncOperations.addHandlers([handler, HandshakeDeadline(logger: logger)])
        }
        .flatMap { base.setup(channel: channel, logger: logger) }
        // What is not set up nobody else knows, and so nobody closes it.
        setup.whenFailure { _ in channel.close(promise: nil) }
        return setup
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
