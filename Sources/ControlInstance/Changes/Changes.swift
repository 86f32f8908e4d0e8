import Synchronization

/// What has changed lately, and who wants to hear what changes next.
final class Changes: Sendable {
    /// More than happens while a page loses its connection and finds it again.
    static let kept = 512

    private struct State {
        /// At least those that are kept, without a gap.
        var last: [Change] = []
        var count: UInt64 = 0
        var followers: [AsyncStream<Change>.Continuation] = []
    }

    /// Ids of another daemon's life mean nothing in this one.
    private let life: String
    private let state = Mutex(State())

    init() {
        var generator = SystemRandomNumberGenerator()
        life = String(generator.next() as UInt64, radix: 36)
    }

    /// Those that left since the last change included.
    var listeners: Int { state.withLock { $0.followers.count } }

    func tell(_ what: Change.What) {
        state.withLock { state in
            state.count += 1
            let change = Change(id: id(state.count), what: what)
            // Seldom: what stays is moved each time.
            if state.last.count >= 2 * Self.kept { state.last.removeFirst(Self.kept) }
            state.last.append(change)
            // Told while the lock is held: all hear them in one order. Whoever has left is found here and not by `onTermination`: that is
            // called while the runtime holds a lock of the follower's task, which to tell it takes, too.
            state.followers.removeAll { follower in
                if case .terminated = follower.yield(change) { true } else { false }
            }
        }
    }

    /// - Parameter last: the id of what a follower saw last. The first change of a stream that cannot go on behind it is a reset.
    func follow(after last: String?) -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        state.withLock { state in
            if let seen = count(in: last), seen <= state.count,
                state.count - seen <= UInt64(min(state.last.count, Self.kept))
            {
                for change in state.last.suffix(Int(state.count - seen)) { continuation.yield(change) }
            } else {
                continuation.yield(Change(id: id(state.count), what: .reset))
            }
            state.followers.append(continuation)
        }
        return stream
    }

    private func id(_ number: UInt64) -> String { "\(life)-\(number)" }

    /// nil: not of this life.
    private func count(in id: String?) -> UInt64? {
        guard let parts = id?.split(separator: "-", maxSplits: 1), parts.count == 2, parts[0] == life else {
            return nil
        }
        return UInt64(parts[1])
    }
}
