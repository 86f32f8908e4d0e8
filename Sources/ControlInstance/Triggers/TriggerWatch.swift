import HypervisorAPI
import Synchronization

/// A run of a simulation whose triggers are looked after.
final class TriggerWatch: Sendable {
    private struct State {
        var book: TriggerBook
        /// Nothing happens to it any more.
        var isOver = false
        /// What is being done.
        var busy: Set<Int> = []
        var looking: Task<Void, Never>?
        var saving: Task<Void, Never>?
        /// It was told that nothing can be recorded.
        var isFailing = false
    }

    let listener = SerialListener()
    private let state: Mutex<State>
    private let store: any Store
    private let failed: @Sendable (StoreError) -> Void

    /// - Parameter failed: is told why something could not be recorded; once, until something could again.
    init(_ book: TriggerBook, _ store: any Store, failed: @escaping @Sendable (StoreError) -> Void) {
        state = Mutex(State(book: book))
        self.store = store
        self.failed = failed
    }

    var book: TriggerBook { state.withLock { $0.book } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Changes the book, unless it is over.
    /// - Returns: which triggers are in another state now, and in which.
    func change(_ body: (inout TriggerBook) -> Void) -> [(Int, TriggerState)] {
        state.withLock { state in
            guard !state.isOver else { return [] }
            let before = state.book.states
            body(&state.book)
            let after = state.book.states
            return after.indices.filter { after[$0] != before[$0] }.map { ($0, after[$0]) }
        }
    }

    /// Returns when the book as it is now, or later, is in the database, or could not be recorded. Writes come one after the other, so that the
    /// last one is the newest.
    func save() async {
        let task = inTurn {
            guard let record = self.state.withLock({ $0.isOver ? nil : $0.book.record }) else { return }
            _ = await self.write(record)
        }
        await task.value
    }

    /// As ``change(_:)``, of what is about to be acted on: it is in the database first, or nothing is changed.
    /// - Returns: nil when it could not be recorded, or nothing happens to it any more.
    func record(_ body: @escaping @Sendable (inout TriggerBook) -> Void) async -> [(Int, TriggerState)]? {
        let task = inTurn { () -> [(Int, TriggerState)]? in
            guard var book = self.state.withLock({ $0.isOver ? nil : $0.book }) else { return nil }
            body(&book)
            guard await self.write(book.record) else { return nil }
            // What has changed meanwhile will be written behind this.
            return self.change(body)
        }
        return await task.value
    }

    private func inTurn<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Task<Value, Never> {
        state.withLock { state in
            let task = Task { [earlier = state.saving] in
                await earlier?.value
                return await body()
            }
            state.saving = Task { _ = await task.value }
            return task
        }
    }

    private func write(_ record: TriggerRecord) async -> Bool {
        do throws(StoreError) {
            try await store.apply(StoreChange(triggers: record))
            state.withLock { $0.isFailing = false }
            return true
        } catch {
            let isNew = state.withLock { state in
                defer { state.isFailing = true }
                return !state.isFailing
            }
            if isNew { failed(error) }
            return false
        }
    }

    /// - Returns: false when somebody does it already, or another one that saves is at work.
    func take(_ index: Int) -> Bool {
        state.withLock { state in
            guard !state.isOver, !state.busy.contains(index) else { return false }
            let specs = state.book.specs
            if specs[index].saves, state.busy.contains(where: { specs[$0].saves }) { return false }
            state.busy.insert(index)
            return true
        }
    }

    func giveBack(_ index: Int) { state.withLock { _ = $0.busy.remove(index) } }

    /// - Parameter task: looks at the machines until it is cancelled.
    func look(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.looking = task
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    /// The run has ended, or somebody else looks after it. Nothing is written any more, so that a later run is not disturbed.
    func end() {
        let task = state.withLock { state in
            state.isOver = true
            return state.looking
        }
        task?.cancel()
    }
}
