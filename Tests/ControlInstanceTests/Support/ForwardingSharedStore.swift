@testable import ControlInstance

/// The same, also of what there is between control instances.
protocol ForwardingSharedStore: ForwardingStore {}

extension ForwardingSharedStore {
    func claim(_ simulation: String) async throws(StoreError) { try await store.claim(simulation) }
    func release(_ simulation: String) { store.release(simulation) }
    func peers() async throws(StoreError) -> [Peer] { try await store.peers() }
    var isShared: Bool { store.isShared }
    func health() async -> StoreHealth? { await store.health() }
    func close() async { await store.close() }
}
