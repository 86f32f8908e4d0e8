public import Archive
public import ControlInstance
public import HypervisorAPI

/// What the API needs of a control instance. ``ControlInstance`` is it; tests put a scripted one here, for the errors that
/// the real one does not give on demand.
public protocol Control: Sendable {
    /// The host that a machine without one runs on.
    var ownHost: String { get }

    func up(_ request: UpRequest) async throws(ControlError) -> OperationID
    func suspend(_ request: SaveRequest) async throws(ControlError) -> OperationID
    func checkpoint(_ request: SaveRequest) async throws(ControlError) -> OperationID
    func resume(_ request: ResumeRequest) async throws(ControlError) -> OperationID
    func rewind(_ request: RewindRequest) async throws(ControlError) -> OperationID
    func clone(_ request: CloneRequest) async throws(ControlError) -> [CloneStarted]
    /// Prepares it on every host, and lets all of it go again.
    func rehearse(_ rehearsal: Rehearsal) async throws(ControlError) -> RehearsalReport
    func cancel(_ operation: OperationID) async throws(ControlError)
    func settle(_ operation: OperationID, as decision: OperationState.Decision?) async throws(ControlError)
        -> OperationReport
    func operation(_ id: OperationID) async throws(ControlError) -> OperationDetail
    func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(ControlError)
        -> [OperationDetail]
    /// From the operation's beginning; the last one is the result.
    func follow(_ operation: OperationID) async throws(ControlError) -> AsyncStream<OperationEvent>
    /// Without an end; the first is a reset if it does not go on behind what was seen last.
    func changes(after last: String?) -> AsyncStream<Change>

    func simulations() async throws(ControlError) -> [SimulationSummary]
    func simulation(named name: String) async throws(ControlError) -> SimulationDetail
    func down(_ simulation: String) async throws(ControlError) -> DownReport
    func forget(_ simulation: String, dryRun: Bool) async throws(ControlError) -> ForgetReport
    /// Without an end, but for the simulation's. Nothing is read ahead of who listens.
    func followSerial(_ number: Int?, of machine: String, in simulation: String, from offset: UInt64?)
        async throws(ControlError) -> AsyncStream<SerialNews>
    func writeSerial(_ bytes: [UInt8], to number: Int?, of machine: String, in simulation: String)
        async throws(ControlError)
    func adopt(_ request: AdoptRequest) async throws(ControlError) -> MachineStatus

    func clocks(of simulation: String, pausing: Bool) async throws(ControlError) -> ClockReport
    func clocks(ofCheckpoint checkpoint: String, simulation: String) async throws(ControlError) -> ClockReport
    func editClocks(_ request: ClockEditRequest) async throws(ControlError) -> CheckpointDetail

    func move(_ request: MoveRequest) async throws(ControlError) -> CheckpointDetail
    func storage(of simulation: String) async throws(ControlError) -> StorageReport
    func annotate(_ request: AnnotateRequest) async throws(ControlError) -> CheckpointSummary
    func log(_ simulation: String, label filter: LabelFilter?) async throws(ControlError) -> [CheckpointSummary]
    func show(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointDetail
    func remove(_ simulation: String, _ checkpoint: String, recursive: Bool) async throws(ControlError) -> [String]
    func collectGarbage(_ request: GarbageRequest) async throws(ControlError) -> GarbageReport
    func seal(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointSummary
    func verify(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> VerifyReport
    func export(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointExport
    func importCheckpoint(_ request: ImportRequest, from channel: ByteChannel) async throws(ControlError)
        -> ImportReport

    /// - Returns: how it ended, once it has.
    func holdLease(of simulation: String) async throws(ControlError) -> AsyncStream<LeaseReport>
    func endLease(of simulation: String, keeping names: [String]) async throws(ControlError) -> LeaseReport
    /// Whoever held it has gone.
    func dropLease(of simulation: String)

    /// Calls off what is under way and waits until it has ended.
    /// - Returns: how many operations that were.
    func windDown() async -> Int

    func doctor() async -> DoctorReport
    /// In the Prometheus exposition format.
    func metrics() async throws(ControlError) -> String

    func hosts() async throws(ControlError) -> [HostReport]
    func addHost(_ request: HostRequest) async throws(ControlError) -> HostReport
    func drainHost(_ name: String, drained: Bool) async throws(ControlError) -> HostReport
    func removeHost(_ name: String, force: Bool) async throws(ControlError)
}

extension ControlInstance: Control {}
