import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection whose request was answered before its body had come, as one is that is refused: nobody reads what anybody likes to send.
/// The answer says so (`Connection: close`), and who sent the request has a second to read it in.
final class UnwantedBody: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// A connection that is closed while bytes come is reset, and the answer with it.
    private static let patience = TimeAmount.seconds(1)

    private var progress = BodyProgress()
    /// Whatever else comes is not looked at.
    private var isDeaf = false
    private var isAnswerWritten = false
    private var end: Scheduled<Void>?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDeaf else { return }
        switch unwrapInboundIn(data) {
        case .head: isDeaf = !progress.requestBegins()
        case .body(let bytes): isDeaf = !progress.bodyComes(bytes.readableBytes)
        case .end: progress.requestEnds()
        }
        if !isDeaf { context.fireChannelRead(data) }
        if isAnswerWritten, progress.isOver { context.close(promise: nil) }
    }

    func read(context: ChannelHandlerContext) { if !isDeaf { context.read() } }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if progress.answerBegins() { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            progress.answerEnds()
            guard progress.endsConnection else { return context.write(data, promise: promise) }
            let written = promise ?? context.eventLoop.makePromise()
            // However slowly the client reads the answer.
            written.futureResult.assumeIsolated().whenComplete { _ in self.answerIsWritten(context) }
            context.write(data, promise: written)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end?.cancel() }

    private func answerIsWritten(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        isAnswerWritten = true
        guard !progress.isOver else { return context.close(promise: nil) }
        end = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { context.close(promise: nil) }
    }
}
