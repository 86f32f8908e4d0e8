import ControlInstance
import HypervisorAPI
import Synchronization
import Time

/// Ends the life of everything that goes through it at a given step: who comes then, or later, never comes back. That is what a
/// process that was killed looks like to the world.
final class Fuse: Sendable {
    private struct State {
        var steps = 0
        var stopped: [CheckedContinuation<Void, Never>] = []
    }

    let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var isBlown: Bool { state.withLock { $0.steps >= limit } }

    func step() async {
        let dies = state.withLock { state in
            state.steps += 1
            return state.steps >= limit
        }
        guard dies else { return }
        await withCheckedContinuation { continuation in state.withLock { $0.stopped.append(continuation) } }
    }

    /// - Returns: true when it is blown, false when the work was done before.
    func blownOrEnded<Value: Sendable>(_ work: Task<Value, any Error>) async -> Bool {
        let watch = Watch()
        // Not awaited, since the work never ends when the fuse is blown.
        Task {
            _ = try? await work.value
            watch.end()
        }
        while !isBlown && !watch.ended { try? await Task.sleep(for: .milliseconds(1)) }
        return !watch.ended
    }

    private final class Watch: Sendable {
        private let state = Mutex(false)
        var ended: Bool { state.withLock { $0 } }
        func end() { state.withLock { $0 = true } }
    }
}

/// The database of an instance that is going to be killed.
struct FusedStore: ForwardingStore, UnsharedStore {
    let store: any Store
    let fuse: Fuse

    func apply(_ change: StoreChange) async throws(StoreError) {
        await fuse.step()
        try await store.apply(change)
        await fuse.step()
    }
}

/// The same with others beside it.
struct FusedSharedStore: ForwardingSharedStore {
    let store: any Store
    let fuse: Fuse

    private var inner: FusedStore { FusedStore(store: store, fuse: fuse) }

    func apply(_ change: StoreChange) async throws(StoreError) { try await inner.apply(change) }
    func close() async {}
}

/// The way from an instance that is going to be killed to a hypervisor.
struct FusedHypervisor: Hypervisor {
    let hypervisor: ScriptedHypervisor
    let fuse: Fuse

    var host: String { hypervisor.host }

    func prepare(_ order: Order) async -> PrepareAnswer {
        await fuse.step()
        let answer = await hypervisor.prepare(order)
        await fuse.step()
        return answer
    }

    func cancel(_ handle: Handle) async {
        await fuse.step()
        await hypervisor.cancel(handle)
        await fuse.step()
    }

    func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) {
        await fuse.step()
        try await hypervisor.execute(handle, at: instant)
        await fuse.step()
    }

    func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport {
        await fuse.step()
        let report = try await hypervisor.report(of: operation)
        await fuse.step()
        return report
    }

    func commit(_ operation: OperationID) async throws(HypervisorError) {
        await fuse.step()
        try await hypervisor.commit(operation)
        await fuse.step()
    }

    func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {
        await fuse.step()
        try await hypervisor.rollback(operation, continueAt: instant)
        await fuse.step()
    }

    func end(_ simulation: String) async throws(HypervisorError) {
        await fuse.step()
        try await hypervisor.end(simulation)
        await fuse.step()
    }

    func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        try await hypervisor.makeStandalone(order)
    }

    func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        try await hypervisor.read(file, from: offset)
    }

    func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) {
        try await hypervisor.write(piece, to: file)
    }

    func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        await fuse.step()
        let arrival = try await hypervisor.fit(order)
        await fuse.step()
        return arrival
    }

    func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {
        try await hypervisor.moveCheckpoint(folder: folder, to: final)
    }
    func removeCheckpoint(folder: String) async throws(HypervisorError) {
        await fuse.step()
        try await hypervisor.removeCheckpoint(folder: folder)
        await fuse.step()
    }

    func describe() async -> HypervisorDescription { await hypervisor.describe() }
    func machines(of simulation: String?) async throws(HypervisorError) -> [MachineStatus] {
        try await hypervisor.machines(of: simulation)
    }
    func stages(of operation: OperationID) async -> AsyncStream<Stage> { await hypervisor.stages(of: operation) }
    func undecided() async -> [UndecidedOperation] { await hypervisor.undecided() }
    func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        try await hypervisor.readClocks(of: simulation, pausing: pausing)
    }
    func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus { try await hypervisor.adopt(order) }
    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        try await hypervisor.readSerial(port, from: offset)
    }
    func readEvents(
        of machine: MachinePlace,
        after mark: EventMark?
    ) async throws(HypervisorError) -> EventChunk {
        try await hypervisor.readEvents(of: machine, after: mark)
    }
    func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) {
        try await hypervisor.writeSerial(bytes, to: port)
    }
    func obstacles(to order: ResumeOrder) async -> [Reason] {
        await hypervisor.obstacles(to: order)
    }
    func verify(_ checkpoint: StoredCheckpoint) async -> [Reason] {
        await hypervisor.verify(checkpoint)
    }
    func lost(_ checkpoint: StoredCheckpoint) async -> [Reason] {
        await hypervisor.lost(checkpoint)
    }

    func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] {
        try await hypervisor.seal(checkpoint)
    }

    func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] {
        try await hypervisor.editClocks(order)
    }
}

/// A database whose disk is full from one write on, or only at that one.
final class FailingStore: ForwardingStore, UnsharedStore {
    let store: any Store
    private let from: Int
    private let forGood: Bool
    private let writes = Mutex(0)

    init(store: any Store, from: Int, forGood: Bool) {
        self.store = store
        self.from = from
        self.forGood = forGood
    }

    func apply(_ change: StoreChange) async throws(StoreError) {
        let write = writes.withLock { writes in
            writes += 1
            return writes
        }
        if write == from || forGood && write > from { throw StoreError("the disk is full") }
        try await store.apply(change)
    }
}
