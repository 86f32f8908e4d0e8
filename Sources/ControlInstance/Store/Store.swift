public import HypervisorAPI

/// The state database: what a control instance must remember over its own death.
public protocol Store: Sendable {
    func simulations() async throws(StoreError) -> [SimulationRecord]
    func simulation(_ name: String) async throws(StoreError) -> SimulationRecord?

    /// Newest first.
    /// - Parameter before: only those behind this one; nil: from the newest on.
    func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(StoreError)
        -> [OperationRecord]
    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord?
    /// Those whose phase is not `finished`, oldest first.
    func unfinishedOperations() async throws(StoreError) -> [OperationRecord]

    /// Oldest first.
    func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord]
    func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord?

    /// Of the triggers of its present or last run; nil: it has none.
    func triggers(of simulation: String) async throws(StoreError) -> TriggerRecord?

    /// Those that were added, by name.
    func hosts() async throws(StoreError) -> [HostRecord]

    /// One transaction: all of it is durable when this returns, or none of it is there when it throws; except of a connection that was
    /// lost in the middle, of which only the database knows. Applying the same change twice is as good as once. An operation without a
    /// report keeps the one that it has: a report may be large, and is written when it is another one.
    ///
    /// Refused (`fenced`, `driven`) where another control instance has a simulation that the change is of.
    func apply(_ change: StoreChange) async throws(StoreError)

    // MARK: - Several control instances

    /// Takes the right to change a simulation, until ``release(_:)``. Of all control instances with one database one has it.
    /// - Throws: `driven` when another one has.
    func claim(_ simulation: String) async throws(StoreError)

    /// Gives it back; when the database cannot be reached, as soon as it can.
    func release(_ simulation: String)

    /// The other control instances with this database; empty where there can be none.
    func peers() async throws(StoreError) -> [Peer]

    /// Whether there can be others.
    var isShared: Bool { get }

    /// Which database it is and how it does, for `doctor`; nil of one that is part of the state folder.
    func health() async -> StoreHealth?

    /// This control instance ends: whatever it had is free for others at once.
    func close() async
}

extension Store {
    public func operations(of simulation: String?, limit: Int) async throws(StoreError) -> [OperationRecord] {
        try await operations(of: simulation, before: nil, limit: limit)
    }
}

/// A store that is this control instance's alone.
public protocol UnsharedStore: Store {}

extension UnsharedStore {
    public func claim(_ simulation: String) async throws(StoreError) {}
    public func release(_ simulation: String) {}
    public func peers() async throws(StoreError) -> [Peer] { [] }
    public var isShared: Bool { false }
    public func health() async -> StoreHealth? { nil }
    public func close() async {}
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
    /// Of a simulation that is known, or becomes so by the same change.
    public var triggers: TriggerRecord?

    public init(
        simulation: SimulationRecord? = nil,
        operation: OperationRecord? = nil,
        checkpoints: [CheckpointRecord] = [],
        removedCheckpoint: CheckpointRecord? = nil,
        removedSimulation: String? = nil,
        host: HostRecord? = nil,
        removedHost: String? = nil,
        triggers: TriggerRecord? = nil
    ) {
        self.simulation = simulation
        self.operation = operation
        self.checkpoints = checkpoints
        self.removedCheckpoint = removedCheckpoint
        self.removedSimulation = removedSimulation
        self.host = host
        self.removedHost = removedHost
        self.triggers = triggers
    }
}
