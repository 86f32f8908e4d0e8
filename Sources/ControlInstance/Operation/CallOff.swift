import Synchronization

/// Tells whoever waits for something that it is not wanted any more. Once called off, always called off.
final class CallOff: Sendable {
    private struct State {
        var called = false
        var handlers: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    var isCalled: Bool { state.withLock { $0.called } }

    func call() {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            state.called = true
            defer { state.handlers = [:] }
            return Array(state.handlers.values)
        }
        for handler in handlers { handler() }
    }

    /// Runs `handler` once when it is called off, at once if it was already.
    /// - Returns: takes the handler away.
    func onCall(_ handler: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        let number = state.withLock { state -> Int? in
            guard !state.called else { return nil }
            state.next += 1
            state.handlers[state.next] = handler
            return state.next
        }
        guard let number else {
            handler()
            return {}
        }
        return { self.state.withLock { _ = $0.handlers.removeValue(forKey: number) } }
    }
}
