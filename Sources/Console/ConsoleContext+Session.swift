import NIOCore

extension ConsoleContext {
    /// Ends the connection when the session's time is over: a stream of events would go on telling.
    func end(with session: BrowserSession) {
        let rest = ContinuousClock.now.duration(to: session.ends)
        let channel = channel
        let end = channel.eventLoop.scheduleTask(in: .seconds(max(0, rest.components.seconds))) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { _ in end.cancel() }
    }
}
