import Synchronization

/// What has changed lately, and who wants to hear what changes next.
final class Changes: Sendable {
    /// More than happens while a page loses its connection and finds it again.
    static let kept = 512

    private struct State {
        /// At least those that are kept, without a gap.
        var last: [Change] = []
        var count: UInt64 = 0
        var followers: [Int: AsyncStream<Change>.Continuation] = [:]
        var nextFollower = 0
    }

    /// Ids of another daemon's life mean nothing in this one.
    private let life: String
    private let state = Mutex(State())

    init() {
        var generator = SystemRandomNumberGenerator()
        life = String(generator.next() as UInt64, radix: 36)
    }

    func tell(_ what: Change.What) {
        state.withLock { state in
            state.count += 1
            let change = Change(id: id(state.count), what: what)
            // Seldom: what stays is moved each time.
            if state.last.count >= 2 * Self.kept { state.last.removeFirst(Self.kept) }
            state.last.append(change)
            // Told while the lock is held: all hear them in one order.
            for follower in state.followers.values { follower.yield(change) }
        }
    }

    /// - Parameter last: the id of what a follower saw last. The first change of a stream that cannot go on behind it is a reset.
    func follow(after last: String?) -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        let number = state.withLock { state in
            if let seen = count(in: last), seen <= state.count,
                state.count - seen <= UInt64(min(state.last.count, Self.kept))
            {
                for change in state.last.suffix(Int(state.count - seen)) { continuation.yield(change) }
            } else {
                continuation.yield(Change(id: id(state.count), what: .reset))
            }
            state.nextFollower += 1
            state.followers[state.nextFollower] = continuation
            return state.nextFollower
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.followers.removeValue(forKey: number) }
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
