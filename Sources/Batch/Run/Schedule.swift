/// Which combination is done when. Knows no I/O: it says what is to begin, and is told what has ended.
package struct Schedule: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case prepare
        /// The combination with that index.
        case begin(Int)
        /// Nothing can begin before something has ended.
        case wait
        case end
    }

    private enum Preparation: Hashable { case needed, running, done }

    private var waiting: ArraySlice<Int>
    private var running: Set<Int> = []
    private var preparation: Preparation
    private let parallel: Int

    /// - Parameter done: indices of those that have a result already.
    package init(count: Int, done: Set<Int> = [], prepares: Bool, parallel: Int) {
        waiting = (0..<max(0, count)).filter { !done.contains($0) }[...]
        preparation = prepares ? .needed : .done
        self.parallel = max(1, parallel)
    }

    package mutating func next() -> Action {
        if waiting.isEmpty { return running.isEmpty ? .end : .wait }
        switch preparation {
        case .needed:
            preparation = .running
            return .prepare
        case .running: return .wait
        case .done: break
        }
        guard running.count < parallel, let index = waiting.popFirst() else { return .wait }
        running.insert(index)
        return .begin(index)
    }

    /// What all begin with is there, or cannot be had: then nothing begins.
    package mutating func prepared(_ outcome: Outcome) {
        preparation = .done
        if outcome != .passed { stop() }
    }

    package mutating func ended(_ index: Int) { running.remove(index) }

    /// Nothing new begins.
    package mutating func stop() { waiting = [] }
}
