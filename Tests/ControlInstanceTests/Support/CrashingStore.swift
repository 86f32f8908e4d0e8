import DatabaseServer
import HypervisorAPI
import Synchronization

@testable import ControlInstance

/// A database whose server dies at one write, and may come back by itself a little later.
final class CrashingStore: Store {
    enum Moment: String, Sendable, CaseIterable { case before, after }

    private let store: any Store
    private let server: DatabaseServer
    private let write: Int
    private let moment: Moment
    private let comesBack: Bool
    private let writes = Mutex(0)

    /// - Parameter comesBack: soon, by itself.
    init(store: any Store, server: DatabaseServer, at write: Int, _ moment: Moment, comesBack: Bool) {
        self.store = store
        self.server = server
        self.write = write
        self.moment = moment
        self.comesBack = comesBack
    }

    var hasCrashed: Bool { writes.withLock { $0 >= write } }

    func apply(_ change: StoreChange) async throws(StoreError) {
        let isIt = writes.withLock { writes in
            writes += 1
            return writes == write
        }
        if isIt, moment == .before { crash() }
        try await store.apply(change)
        guard isIt, moment == .after else { return }
        crash()
        // The answer is lost.
        throw StoreError("the connection was lost", .unreachable)
    }

    private func crash() {
        try? server.crash()
        guard comesBack else { return }
        Task { [server] in
            try await Task.sleep(for: .milliseconds(200))
            try server.start()
        }
    }

    func simulations() async throws(StoreError) -> [SimulationRecord] { try await store.simulations() }
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? { try await store.simulation(name) }
    func operations(of simulation: String?, limit: Int) async throws(StoreError) -> [OperationRecord] {
        try await store.operations(of: simulation, limit: limit)
    }
    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? { try await store.operation(id) }
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord] { try await store.unfinishedOperations() }
    func hosts() async throws(StoreError) -> [HostRecord] { try await store.hosts() }
    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try await store.checkpoints(of: simulation)
    }
    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try await store.checkpoint(name, of: simulation)
    }
    func claim(_ simulation: String) async throws(StoreError) { try await store.claim(simulation) }
    func release(_ simulation: String) { store.release(simulation) }
    func peers() async throws(StoreError) -> [Peer] { try await store.peers() }
    var isShared: Bool { store.isShared }
    func health() async -> StoreHealth? { await store.health() }
    func close() async { await store.close() }
}
