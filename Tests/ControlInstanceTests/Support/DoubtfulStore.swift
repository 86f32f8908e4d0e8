import HypervisorAPI
import Synchronization

@testable import ControlInstance

/// A database whose connection is lost at the moment of a commit: it takes the decision, the answer is lost, and nothing can be read
/// or written until it heals.
final class DoubtfulStore: ForwardingStore, UnsharedStore {
    let store: any Store
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

    func connected() throws(StoreError) {
        if isLost.withLock({ $0 }) { throw StoreError("the connection is lost") }
    }
}
