import Synchronization

/// The checkpoints that are being sealed in the background, one task each.
final class Sealing: Sendable {
    private struct State {
        var tasks: [CheckpointSet.Place: Task<Void, Never>] = [:]
        /// Of the present task's last attempt, or of one that has given up.
        var failures: [CheckpointSet.Place: ControlError] = [:]
        /// Not to be touched: somebody goes on with what is in them.
        var held: Set<CheckpointSet.Place> = []
    }

    private let state = Mutex(State())

    /// Does nothing when that one is under way already, or held.
    func begin(_ place: CheckpointSet.Place, _ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard state.tasks[place] == nil, !state.held.contains(place) else { return }
            state.failures[place] = nil
            state.tasks[place] = Task(priority: .utility) {
                await body()
                self.state.withLock { _ = $0.tasks.removeValue(forKey: place) }
            }
        }
    }

    func note(_ failure: ControlError, of place: CheckpointSet.Place) {
        state.withLock { $0.failures[place] = failure }
    }

    func failure(of place: CheckpointSet.Place) -> ControlError? { state.withLock { $0.failures[place] } }

    func isUnderWay(_ place: CheckpointSet.Place) -> Bool { state.withLock { $0.tasks[place] != nil } }

    /// Ends it and waits for that; what it has done so far is done.
    func stop(_ place: CheckpointSet.Place) async {
        guard let task = state.withLock({ $0.tasks[place] }) else { return }
        task.cancel()
        await task.value
    }

    /// Ends it, and lets none begin until ``letGo(_:)``.
    func hold(_ place: CheckpointSet.Place) async {
        state.withLock { _ = $0.held.insert(place) }
        await stop(place)
    }

    func letGo(_ place: CheckpointSet.Place) { state.withLock { _ = $0.held.remove(place) } }

    var all: [Task<Void, Never>] { state.withLock { Array($0.tasks.values) } }
}
