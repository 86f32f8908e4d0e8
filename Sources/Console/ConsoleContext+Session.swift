import NIOCore

extension ConsoleContext {
    /// Ends the connection when the session has ended: a stream of events would go on telling.
    func end(with session: BrowserSession, of entrance: BrowserEntrance) {
        let channel = channel
        let second = TimeAmount.seconds(1)
        let watching = channel.eventLoop.scheduleRepeatedTask(initialDelay: second, delay: second) { _ in
            if !entrance.isOpen(session) { channel.close(promise: nil) }
        }
        channel.closeFuture.whenComplete { _ in watching.cancel() }
    }
}
