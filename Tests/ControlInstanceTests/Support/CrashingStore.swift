import DatabaseServer
import HypervisorAPI
import Synchronization

@testable import ControlInstance

/// A database whose server dies at one write, and may come back by itself a little later.
final class CrashingStore: ForwardingSharedStore {
    enum Moment: String, Sendable, CaseIterable { case before, after }

    let store: any Store
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
}
