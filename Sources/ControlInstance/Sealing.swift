import Synchronization

/// The checkpoints that are being sealed in the background, one task each.
final class Sealing: Sendable {
    private let tasks = Mutex<[CheckpointSet.Place: Task<Void, Never>]>([:])

    /// Does nothing when that one is under way already.
    func begin(_ place: CheckpointSet.Place, _ body: @escaping @Sendable () async -> Void) {
        tasks.withLock { tasks in
            guard tasks[place] == nil else { return }
            tasks[place] = Task(priority: .utility) {
                await body()
                self.tasks.withLock { _ = $0.removeValue(forKey: place) }
            }
        }
    }

    func task(of place: CheckpointSet.Place) -> Task<Void, Never>? { tasks.withLock { $0[place] } }

    /// Ends it and waits for that; what it has done so far is done.
    func stop(_ place: CheckpointSet.Place) async {
        guard let task = task(of: place) else { return }
        task.cancel()
        await task.value
    }

    var all: [Task<Void, Never>] { tasks.withLock { Array($0.values) } }
}
