import HypervisorAPI

@testable import ControlInstance

/// A double that is another database but for what it does itself.
protocol ForwardingStore: Store {
    var store: any Store { get }
    /// Before each read.
    func connected() throws(StoreError)
}

extension ForwardingStore {
    func connected() throws(StoreError) {}

    func simulations() async throws(StoreError) -> [SimulationRecord] {
        try connected()
        return try await store.simulations()
    }
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? {
        try connected()
        return try await store.simulation(name)
    }
    func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(StoreError)
        -> [OperationRecord]
    {
        try connected()
        return try await store.operations(of: simulation, before: before, limit: limit)
    }
    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        try connected()
        return try await store.operation(id)
    }
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord] {
        try connected()
        return try await store.unfinishedOperations()
    }
    func triggers(of simulation: String) async throws(StoreError) -> TriggerRecord? {
        try connected()
        return try await store.triggers(of: simulation)
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
    func apply(_ change: StoreChange) async throws(StoreError) { try await store.apply(change) }
}
