import HypervisorAPI
import Synchronization
import Testing

@testable import ControlInstance

/// What is asked to be settled while it is under way, or has just ended.
struct SettleTests {
    @Test func whatEndsWhileItIsAskedAboutIsNotUndone() async throws {
        let bench = try Bench()
        try await bench.up(try bench.control())
        let store = DelayedStore(store: bench.store)
        let control = try bench.control(store: store)
        bench.left.script(.report, .late(50))
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        // Between the first look at the record and what follows, the operation ends.
        store.afterNextRead { _ = try? await control.result(of: id) }
        #expect(try await control.settle(id).outcome == .done)
        #expect(bench.folders == ["s1"])
        _ = try await control.show("sim", "s1")
        #expect(try await control.operation(id).report?.outcome == .done)
    }

    @Test func whatIsUnderWayIsNotSettled() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.report, .late(200))
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        let error = await #expect(throws: ControlError.self) { try await control.settle(id) }
        #expect(error?.reasons.map(\.code) == ["busy"] && error?.exitCode == 3)
        #expect(try await control.result(of: id).outcome == .done)
        #expect(try await control.settle(id).outcome == .done)
    }
}

/// A database in which something happens between the reading of an operation and the reader's next step.
private final class DelayedStore: Store {
    private let store: any Store
    private let next = Mutex<(@Sendable () async -> Void)?>(nil)

    init(store: any Store) { self.store = store }

    func afterNextRead(_ body: @escaping @Sendable () async -> Void) { next.withLock { $0 = body } }

    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        let record = try await store.operation(id)
        let body = next.withLock { next in
            defer { next = nil }
            return next
        }
        await body?()
        return record
    }

    func simulations() async throws(StoreError) -> [SimulationRecord] { try await store.simulations() }
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? { try await store.simulation(name) }
    func operations(of simulation: String?, limit: Int) async throws(StoreError) -> [OperationRecord] {
        try await store.operations(of: simulation, limit: limit)
    }
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord] { try await store.unfinishedOperations() }
    func hosts() async throws(StoreError) -> [HostRecord] { try await store.hosts() }
    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try await store.checkpoints(of: simulation)
    }
    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try await store.checkpoint(name, of: simulation)
    }
    func apply(_ change: StoreChange) async throws(StoreError) { try await store.apply(change) }
}
