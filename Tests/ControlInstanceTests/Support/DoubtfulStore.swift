import HypervisorAPI
import Synchronization

@testable import ControlInstance

/// A database whose connection is lost at the moment of a commit: it takes the decision, the answer is lost, and nothing can be read
/// or written until it heals.
final class DoubtfulStore: UnsharedStore {
    private let store: any Store
    private let isLost = Mutex(false)

    init(store: any Store) { self.store = store }

    func heal() { isLost.withLock { $0 = false } }

    func apply(_ change: StoreChange) async throws(StoreError) {
        try connected()
        try await store.apply(change)
        guard change.operation?.state.decision == .commit, change.operation?.finished == nil else { return }
        isLost.withLock { $0 = true }
        try connected()
    }

    private func connected() throws(StoreError) {
        if isLost.withLock({ $0 }) { throw StoreError("the connection is lost") }
    }

    func simulations() async throws(StoreError) -> [SimulationRecord] {
        try connected()
        return try await store.simulations()
    }
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? {
        try connected()
        return try await store.simulation(name)
    }
    func operations(of simulation: String?, limit: Int) async throws(StoreError) -> [OperationRecord] {
        try connected()
        return try await store.operations(of: simulation, limit: limit)
    }
    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        try connected()
        return try await store.operation(id)
    }
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord] {
        try connected()
        return try await store.unfinishedOperations()
    }
    func hosts() async throws(StoreError) -> [HostRecord] {
        try connected()
        return try await store.hosts()
    }
    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try connected()
        return try await store.checkpoints(of: simulation)
    }
    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try connected()
        return try await store.checkpoint(name, of: simulation)
    }
}
