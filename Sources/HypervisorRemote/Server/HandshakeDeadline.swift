public import Logging
public import NIOCore
import NIOTLS

/// Closes a connection on which nobody has proven in time who he is. Who does not get as far as a certificate is in no other log.
public final class HandshakeDeadline: ChannelInboundHandler {
    public typealias InboundIn = NIOAny

    private static let patience = TimeAmount.seconds(10)

    private let logger: Logger
    private var deadline: Scheduled<Void>?
    private var isOver = false

    public init(logger: Logger) { self.logger = logger }

    public func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            isOver = true
            deadline?.cancel()
        }
        context.fireUserInboundEventTriggered(event)
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isOver { complain(of: context.channel, "\(error)") }
        isOver = true
        context.fireErrorCaught(error)
    }

    public func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    private func complain(of channel: any Channel, _ error: String) {
        // A certificate that was looked at and refused has its own line.
        guard !error.contains("CERTIFICATE_VERIFY_FAILED") else { return }
        let detail =
            error.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE") ? "it showed no certificate" : "TLS failed: \(error)"
        logger.warning(
            "refused a peer",
            metadata: [
                "reason": "no-handshake", "detail": "\(detail)",
                "peer": "\(channel.remoteAddress?.description ?? "unknown")",
            ]
        )
    }
}
