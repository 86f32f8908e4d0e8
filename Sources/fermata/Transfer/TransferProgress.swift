import Synchronization

/// One line on a terminal that says how far a transfer is; elsewhere nothing.
final class TransferProgress: Sendable {
    private struct State {
        var bytes = 0
        var shownAt: ContinuousClock.Instant?
    }

    private static let pause = Duration.milliseconds(200)

    private let terminal: Terminal
    private let title: String
    private let total: String
    private let state = Mutex(State())

    /// - Parameter total: bytes, if anybody knows.
    init(_ terminal: Terminal, _ title: String, of total: Int?) {
        self.terminal = terminal
        self.title = title
        self.total = total.map { " of \(TimeText.bytes(UInt64($0)))" } ?? ""
    }

    func add(_ count: Int) {
        guard terminal.canRewrite else { return }
        let now = ContinuousClock.now
        let bytes = state.withLock { state -> Int? in
            state.bytes += count
            if let shownAt = state.shownAt, now - shownAt < Self.pause { return nil }
            state.shownAt = now
            return state.bytes
        }
        if let bytes { terminal.rewrite("\(title): \(TimeText.bytes(UInt64(bytes)))\(total)…") }
    }

    func clear() {
        if state.withLock({ $0.shownAt != nil }) { terminal.rewrite("") }
    }
}
