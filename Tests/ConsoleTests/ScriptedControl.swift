import Archive
import Console
import ControlInstance
import FoundationEssentials
import GuestClock
import HypervisorAPI
import Synchronization
import Time

/// A control instance that answers everything with one error, or operations with the events it is given.
final class ScriptedControl: Control {
    let ownHost = "here"
    private let error: ControlError
    /// What an operation's followers see; the stream ends when the last has been seen and `endsStreams` is set.
    private let events: [OperationEvent]
    private let endsStreams: Bool
    /// Of port 0 of every machine; nil: none has one.
    private let serial: AsyncStream<SerialNews>?
    private let record = Mutex(Record())
    private let changes = Mutex<[AsyncStream<Change>.Continuation]>([])

    struct Record {
        var up: [UpRequest] = []
        var settle: [OperationState.Decision?] = []
        var suspend: [SaveRequest] = []
        var checkpoint: [SaveRequest] = []
        var resume: [ResumeRequest] = []
        var rewind: [RewindRequest] = []
        var clone: [CloneRequest] = []
        var annotate: [AnnotateRequest] = []
        var garbage: [GarbageRequest] = []
        var filters: [LabelFilter?] = []
        var adopt: [AdoptRequest] = []
        var edit: [ClockEditRequest] = []
        var moves: [MoveRequest] = []
        var imports: [ImportRequest] = []
        var rehearsals: [Rehearsal] = []
        var forgotten: [String] = []
        var followed: [UInt64?] = []
        var typed: [String] = []
        var cancelled: [OperationID] = []
        var streamsEnded = 0
        var windDowns = 0
    }

    var seen: Record { record.withLock { $0 } }

    init(
        error: ControlError = ControlError(code: "simulation-not-found", message: "there is no simulation x"),
        events: [OperationEvent] = [],
        endsStreams: Bool = true,
        serial: AsyncStream<SerialNews>? = nil
    ) {
        self.serial = serial
        self.error = error
        self.events = events
        self.endsStreams = endsStreams
    }

    private func begin(_ wanted: OperationID?, _ note: (inout Record) -> Void) throws(ControlError) -> OperationID {
        record.withLock { note(&$0) }
        if events.isEmpty { throw error }
        if let wanted { begun.withLock { _ = $0.insert(wanted) } }
        return wanted ?? OperationID(text: "op1")
    }

    /// Those that were asked for by their id.
    private let begun = Mutex<Set<OperationID>>([])

    func up(_ request: UpRequest) async throws(ControlError) -> OperationID {
        try begin(request.operation) { $0.up.append(request) }
    }

    func suspend(_ request: SaveRequest) async throws(ControlError) -> OperationID {
        try begin(request.operation) { $0.suspend.append(request) }
    }

    func checkpoint(_ request: SaveRequest) async throws(ControlError) -> OperationID {
        try begin(request.operation) { $0.checkpoint.append(request) }
    }

    func resume(_ request: ResumeRequest) async throws(ControlError) -> OperationID {
        try begin(request.operation) { $0.resume.append(request) }
    }

    func rewind(_ request: RewindRequest) async throws(ControlError) -> OperationID {
        try begin(request.resume.operation) { $0.rewind.append(request) }
    }

    func clone(_ request: CloneRequest) async throws(ControlError) -> [CloneStarted] {
        let operation = try begin(request.source.operation) { $0.clone.append(request) }
        return [CloneStarted(simulation: "lab", operation: operation)]
    }

    func rehearse(_ rehearsal: Rehearsal) async throws(ControlError) -> RehearsalReport {
        record.withLock { $0.rehearsals.append(rehearsal) }
        return RehearsalReport(simulation: rehearsal.simulation, kind: .suspend, hosts: [])
    }

    func changes(after last: String?) -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream<Change>.makeStream()
        continuation.yield(Change(id: "x-0", what: .reset))
        if endsStreams { continuation.finish() } else { changes.withLock { $0.append(continuation) } }
        return stream
    }

    func tell(_ change: Change) { changes.withLock { for continuation in $0 { continuation.yield(change) } } }

    func cancel(_ operation: OperationID) async throws(ControlError) {
        record.withLock { $0.cancelled.append(operation) }
        if events.isEmpty { throw error }
    }

    func follow(_ operation: OperationID) async throws(ControlError) -> AsyncStream<OperationEvent> {
        if events.isEmpty { throw error }
        let (stream, continuation) = AsyncStream<OperationEvent>.makeStream()
        continuation.onTermination = { [weak self] _ in self?.record.withLock { $0.streamsEnded += 1 } }
        for event in events { continuation.yield(event) }
        if endsStreams { continuation.finish() } else { held.withLock { $0.append(continuation) } }
        return stream
    }

    /// A continuation that nobody holds ends its stream.
    private let held = Mutex<[AsyncStream<OperationEvent>.Continuation]>([])

    /// One more event to all that follow.
    func tell(_ event: OperationEvent) { held.withLock { for continuation in $0 { continuation.yield(event) } } }

    func settle(_ operation: OperationID, as decision: OperationState.Decision?) async throws(ControlError)
        -> OperationReport
    {
        record.withLock { $0.settle.append(decision) }
        throw error
    }
    func operation(_ id: OperationID) async throws(ControlError) -> OperationDetail {
        let text = #"{"operation":"\#(id)","kind":"suspend","simulation":"lab","phase":"preparing","startedNs":1}"#
        guard begun.withLock({ $0.contains(id) }),
            let detail = try? JSONDecoder().decode(OperationDetail.self, from: Data(text.utf8))
        else { throw error }
        return detail
    }
    func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(ControlError)
        -> [OperationDetail]
    { throw error }
    func simulations() async throws(ControlError) -> [SimulationSummary] { throw error }
    func simulation(named name: String) async throws(ControlError) -> SimulationDetail { throw error }
    func down(_ simulation: String) async throws(ControlError) -> DownReport { throw error }

    func forget(_ simulation: String, dryRun: Bool) async throws(ControlError) -> ForgetReport {
        record.withLock { $0.forgotten.append("\(simulation) \(dryRun)") }
        throw error
    }

    func adopt(_ request: AdoptRequest) async throws(ControlError) -> MachineStatus {
        record.withLock { $0.adopt.append(request) }
        throw error
    }

    func clocks(of simulation: String, pausing: Bool) async throws(ControlError) -> ClockReport {
        ClockReport(
            simulation: simulation,
            checkpoint: nil,
            machines: [
                ClockReport.Machine(
                    name: pausing ? "paused" : "running",
                    readAt: HostInstant(nanosecondsSinceEpoch: 1),
                    pause: .zero,
                    clock: ClockState(atNs: HostInstant(nanosecondsSinceEpoch: 1), readings: []),
                    notes: []
                )
            ]
        )
    }

    func clocks(ofCheckpoint checkpoint: String, simulation: String) async throws(ControlError) -> ClockReport {
        throw error
    }

    func editClocks(_ request: ClockEditRequest) async throws(ControlError) -> CheckpointDetail {
        record.withLock { $0.edit.append(request) }
        throw error
    }

    func move(_ request: MoveRequest) async throws(ControlError) -> CheckpointDetail {
        record.withLock { $0.moves.append(request) }
        throw error
    }

    func storage(of simulation: String) async throws(ControlError) -> StorageReport { throw error }
    func annotate(_ request: AnnotateRequest) async throws(ControlError) -> CheckpointSummary {
        record.withLock { $0.annotate.append(request) }
        throw error
    }

    func log(_ simulation: String, label filter: LabelFilter?) async throws(ControlError) -> [CheckpointSummary] {
        record.withLock { $0.filters.append(filter) }
        throw error
    }

    func show(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointDetail { throw error }
    func seal(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointSummary {
        throw error
    }

    func remove(_ simulation: String, _ checkpoint: String, recursive: Bool) async throws(ControlError) -> [String] {
        guard recursive else { throw error }
        return ["child", checkpoint]
    }

    func collectGarbage(_ request: GarbageRequest) async throws(ControlError) -> GarbageReport {
        record.withLock { $0.garbage.append(request) }
        return GarbageReport(dryRun: request.dryRun, items: [], spared: [])
    }

    func verify(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> VerifyReport { throw error }
    func export(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointExport {
        throw error
    }

    func importCheckpoint(
        _ request: ImportRequest,
        from channel: ByteChannel
    ) async throws(ControlError) -> ImportReport {
        record.withLock { $0.imports.append(request) }
        throw error
    }

    func hosts() async throws(ControlError) -> [HostReport] { throw error }
    func addHost(_ request: HostRequest) async throws(ControlError) -> HostReport { throw error }
    func drainHost(_ name: String, drained: Bool) async throws(ControlError) -> HostReport { throw error }
    func removeHost(_ name: String, force: Bool) async throws(ControlError) { throw error }

    func holdLease(of simulation: String) async throws(ControlError) -> AsyncStream<LeaseReport> { throw error }
    func endLease(of simulation: String, keeping names: [String]) async throws(ControlError) -> LeaseReport {
        throw error
    }
    func dropLease(of simulation: String) {}

    func windDown() async -> Int {
        record.withLock { $0.windDowns += 1 }
        return 0
    }

    func followSerial(_ number: Int?, of machine: String, in simulation: String, from offset: UInt64?)
        async throws(ControlError) -> AsyncStream<SerialNews>
    {
        guard let serial, number ?? 0 == 0 else { throw error }
        record.withLock { $0.followed.append(offset) }
        return serial
    }

    func writeSerial(_ bytes: [UInt8], to number: Int?, of machine: String, in simulation: String)
        async throws(ControlError)
    {
        guard serial != nil, number ?? 0 == 0 else { throw error }
        record.withLock { $0.typed.append("\(simulation)/\(machine): \(String(decoding: bytes, as: UTF8.self))") }
    }

    func metrics() async throws(ControlError) -> String { "# HELP fermata_simulations Simulations.\n" }

    func doctor() async -> DoctorReport { DoctorReport(home: "/home", hosts: [], findings: []) }
}
