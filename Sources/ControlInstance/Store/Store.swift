public import HypervisorAPI

/// The state database: what a control instance must remember over its own death.
public protocol Store: Sendable {
    func simulations() async throws(StoreError) -> [SimulationRecord]
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord?

    /// Newest first.
    func operations(of simulation: String?, limit: Int) async throws(StoreError) -> [OperationRecord]
    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord?
    /// Those whose phase is not `finished`, oldest first.
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord]

    /// Oldest first.
    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord]
    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord?

    /// Those that were added, by name.
    func hosts() async throws(StoreError) -> [HostRecord]

    /// One transaction: all of it is durable when this returns, or none of it is there when it throws.
    func apply(_ change: StoreChange) async throws(StoreError)
}

/// One step of the state, applied as a whole. Records with a known key are replaced.
public struct StoreChange: Hashable, Sendable {
    public var simulation: SimulationRecord?
    public var operation: OperationRecord?
    public var checkpoints: [CheckpointRecord]
    public var removedCheckpoint: CheckpointRecord?
    public var removedSimulation: String?
    public var host: HostRecord?
    public var removedHost: String?

    public init(
        simulation: SimulationRecord? = nil,
        operation: OperationRecord? = nil,
        checkpoints: [CheckpointRecord] = [],
        removedCheckpoint: CheckpointRecord? = nil,
        removedSimulation: String? = nil,
        host: HostRecord? = nil,
        removedHost: String? = nil
    ) {
        self.simulation = simulation
        self.operation = operation
        self.checkpoints = checkpoints
        self.removedCheckpoint = removedCheckpoint
        self.removedSimulation = removedSimulation
        self.host = host
        self.removedHost = removedHost
    }
}

/// Why the state database could not be read or written.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
