import Synchronization

/// The threads that wait for a volley. Apart from ``DeadlineThreads``, so that a thread at work does not keep that alive.
final class IdleThreads: Sendable {
    private struct State {
        var threads: [DeadlineThread]
        var closed = false
    }

    private let keep: Int
    private let state: Mutex<State>

    init(_ threads: [DeadlineThread]) {
        keep = threads.count
        state = Mutex(State(threads: threads))
    }

    func take() -> DeadlineThread? {
        state.withLock { $0.threads.popLast() }
    }

    /// Takes a thread back; one above the number kept ready ends.
    func give(back thread: DeadlineThread) {
        let kept = state.withLock { state in
            guard !state.closed, state.threads.count < keep else { return false }
            state.threads.append(thread)
            return true
        }
        if !kept { thread.quit() }
    }

    /// Ends the idle ones now and the others when their volley is done.
    func close() {
        let threads = state.withLock { state in
            state.closed = true
            defer { state.threads = [] }
            return state.threads
        }
        for thread in threads { thread.quit() }
    }
}
