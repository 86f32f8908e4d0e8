public import Time

/// One subscriber's events, from when it subscribed to the end of the connection.
///
/// Each subscriber has a buffer of its own. When it is full, the oldest event gives way (``lost`` counts them), but never
/// `STOP`, `RESUME`, `MIGRATION` and `SHUTDOWN`; a peer that floods with those, 65536 unread ones, is disconnected. A
/// cancelled wait gives nil and loses nothing: the next one goes on where it was. Dropping the object ends the
/// subscription; several tasks that read one object share its events out.
public final class QMPEvents: AsyncSequence, Sendable {
    public typealias Element = QMPEvent
    public typealias Failure = Never

    private struct State {
        var buffer: EventBuffer
        var isOver = false
        var waiting: [(id: UInt64, continuation: CheckedContinuation<QMPEvent?, Never>)] = []
        var lastWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state: Guarded<State>

    init(capacity: Int) {
        state = Guarded(State(buffer: EventBuffer(capacity: capacity)))
    }

    /// Events that gave way because nobody read them in time.
    public var lost: Int { state.withLock { $0.buffer.lost } }

    public struct Iterator: AsyncIteratorProtocol {
        let events: QMPEvents

        public mutating func next() async -> QMPEvent? { await events.next() }

        public mutating func next(isolation actor: isolated (any Actor)?) async -> QMPEvent? { await events.next() }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    /// The next event; nil at the end of the connection, or when the task is cancelled.
    public func next() async -> QMPEvent? {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (mustWait, event) = state.withLock { state -> (Bool, QMPEvent?) in
                    if state.cancelled.contains(id) { return (false, nil) }
                    if let event = state.buffer.take() { return (false, event) }
                    if state.isOver { return (false, nil) }
                    state.waiting.append((id, continuation))
                    return (true, nil)
                }
                if !mustWait { continuation.resume(returning: event) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<QMPEvent?, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                    // It was served, or it has not begun to wait.
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiting.remove(at: index).continuation
            }
            waiter?.resume(returning: nil)
        }
    }

    /// The first event that matches, others before it are passed over; nil when none came in time or the connection ended.
    public func first(within limit: Span, where matches: @escaping @Sendable (QMPEvent) -> Bool) async -> QMPEvent? {
        await withTaskGroup(of: QMPEvent?.self) { group in
            group.addTask {
                while let event = await self.next() {
                    if matches(event) { return event }
                }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: limit.duration)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            // Both can have been ready at once: a match that was taken out of the buffer must not get lost.
            for await late in group where late != nil { return late }
            return nil
        }
    }

    /// False when the subscriber holds more events that must arrive than any honest peer sends.
    func deliver(_ event: QMPEvent) -> Bool {
        let outcome = state.withLock { state -> (CheckedContinuation<QMPEvent?, Never>?, Bool) in
            if state.isOver { return (nil, true) }
            if !state.waiting.isEmpty { return (state.waiting.removeFirst().continuation, true) }
            return (nil, state.buffer.store(event))
        }
        outcome.0?.resume(returning: event)
        return outcome.1
    }

    /// What is buffered can still be read.
    func finish() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
    }
}
