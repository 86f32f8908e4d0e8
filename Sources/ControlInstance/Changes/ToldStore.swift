import HypervisorAPI

/// A store that tells what changed in it, as soon as that is durable.
struct ToldStore: Store {
    let base: any Store
    let changes: Changes

    func apply(_ change: StoreChange) async throws(StoreError) {
        try await base.apply(change)
        if let simulation = change.simulation { changes.tell(.simulation(simulation.name, simulation.state)) }
        if let name = change.removedSimulation { changes.tell(.simulation(name, nil)) }
        for checkpoint in change.checkpoints {
            changes.tell(.checkpoint(checkpoint.name, simulation: checkpoint.simulation, removed: false))
        }
        if let checkpoint = change.removedCheckpoint {
            changes.tell(.checkpoint(checkpoint.name, simulation: checkpoint.simulation, removed: true))
        }
        if let host = change.host { changes.tell(.host(host.name, removed: false)) }
        if let host = change.removedHost { changes.tell(.host(host, removed: true)) }
    }

    func simulations() async throws(StoreError) -> [SimulationRecord] { try await base.simulations() }

    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? { try await base.simulation(name) }

    func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(StoreError)
        -> [OperationRecord]
    {
        try await base.operations(of: simulation, before: before, limit: limit)
    }

    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? { try await base.operation(id) }

    func unfinishedOperations() async throws(StoreError) -> [OperationRecord] { try await base.unfinishedOperations() }

    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try await base.checkpoints(of: simulation)
    }

    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try await base.checkpoint(name, of: simulation)
    }

    func triggers(of simulation: String) async throws(StoreError) -> TriggerRecord? {
        try await base.triggers(of: simulation)
    }

    func hosts() async throws(StoreError) -> [HostRecord] { try await base.hosts() }

    // MARK: - Several control instances

    func claim(_ simulation: String) async throws(StoreError) { try await base.claim(simulation) }

    func release(_ simulation: String) { base.release(simulation) }

    func peers() async throws(StoreError) -> [Peer] { try await base.peers() }

    var isShared: Bool { base.isShared }

    func health() async -> StoreHealth? { await base.health() }

    func close() async { await base.close() }
}
