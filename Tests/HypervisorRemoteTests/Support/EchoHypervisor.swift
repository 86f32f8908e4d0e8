import GuestClock
import HostClock
import HypervisorAPI
import Synchronization
import Time

/// Notes what it is told, and says what a test gave it to say. For what crosses the wire; what happens then is the real one's.
final class EchoHypervisor: Hypervisor, SharedFolderHost {
    let host = "far"
    let heard = Mutex<[String]>([])
    /// Thrown by everything that throws.
    let failure = Mutex<HypervisorError?>(nil)
    /// How long a call takes.
    let delay = Mutex<Duration>(.zero)

    private func hear(_ call: String) async throws(HypervisorError) {
        heard.withLock { $0.append(call) }
        let delay = delay.withLock { $0 }
        if delay > .zero { try? await Task.sleep(for: delay) }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    var calls: [String] { heard.withLock { $0 } }

    static let description = HypervisorDescription(
        host: "far",
        architecture: "riscv64",
        binaries: [
            QEMUBinary(path: "/usr/bin/qemu-system-riscv64", version: [10, 0, 2], target: "riscv64", sandbox: true)
        ],
        findings: [.init(level: .notice, subject: "far", message: "\u{1F3BC} \"quoted\"\n")],
        kvm: true,
        freeBytes: 1 << 40,
        clockErrorBound: .microseconds(250)
    )

    static func handle(_ order: Order, _ now: HostInstant) -> Handle {
        Handle(
            token: "0123456789abcdef",
            operation: order.operation,
            kind: order.kind,
            simulation: order.simulation,
            machines: order.machines,
            instant: order.instant,
            earliest: now + .seconds(1),
            expires: now + .seconds(60)
        )
    }

    func describe() async throws(HypervisorError) -> HypervisorDescription {
        try await hear("describe")
        return Self.description
    }

    func machines(of simulation: String?) async throws(HypervisorError) -> [MachineStatus] {
        try await hear("machines \(simulation ?? "of all")")
        return []
    }

    func prepare(_ order: Order) async -> PrepareAnswer {
        do throws(HypervisorError) {
            try await hear(
                "prepare \(order.kind.rawValue) \(order.instant?.nanosecondsSinceEpoch ?? 0) \(Self.folder(of: order))"
            )
            return .ready(Self.handle(order, .now))
        } catch {
            return .refused(error.reasons)
        }
    }

    private static func folder(of order: Order) -> String {
        switch order {
        case .start: "none"
        case .suspend(let order), .checkpoint(let order): "\(order.folder) \(order.finalFolder)"
        case .resume(let order): order.folder
        }
    }

    func obstacles(to order: ResumeOrder) async throws(HypervisorError) -> [Reason] {
        try await hear("obstacles \(order.folder)")
        return [Reason(code: "no-space", machine: "bmc", message: "full")]
    }

    func cancel(_ handle: Handle) async { try? await hear("cancel \(handle.token)") }

    func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) {
        try await hear("execute \(handle.token) \(instant.nanosecondsSinceEpoch)")
    }

    func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport {
        try await hear("report \(operation)")
        let machine = MachineReport(name: "bmc", sentAt: .now, happenedAt: .now, lateness: .microseconds(-3))
        return HypervisorReport(
            operation: operation,
            kind: .suspend,
            host: host,
            instant: .now,
            outcome: .failed([Reason(code: "no-space", message: "full")]),
            machines: [machine]
        )
    }

    func stages(of operation: OperationID) async -> AsyncStream<Stage> {
        try? await hear("stages \(operation)")
        return AsyncStream { continuation in
            for number in 0..<100 {
                continuation.yield(
                    Stage(machine: "bmc", name: "save\(number)", startedAt: .now, duration: .milliseconds(1))
                )
            }
            continuation.finish()
        }
    }

    func commit(_ operation: OperationID) async throws(HypervisorError) { try await hear("commit \(operation)") }

    func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {
        try await hear("rollback \(operation) \(instant.nanosecondsSinceEpoch)")
    }

    func undecided() async throws(HypervisorError) -> [UndecidedOperation] {
        try await hear("undecided")
        return [
            UndecidedOperation(
                operation: OperationID(text: "op"),
                kind: .resume,
                simulation: "lab",
                machines: ["bmc"],
                happened: true
            )
        ]
    }

    func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        try await hear("clocks \(simulation) \(pausing)")
        return []
    }

    func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus {
        try await hear("adopt \(order.monitor)")
        throw HypervisorError(code: "monitor-failed", message: "none there")
    }

    /// All that a port ever says, a chunk at a time: each byte is its offset.
    static let said = UInt64(3 * SerialChunk.mostBytes)

    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        try await hear(
            "read-serial \(port.simulation)/\(port.machine)/\(port.number) \(offset.map(String.init) ?? "nil")"
        )
        let start = offset ?? 7
        let end = min(Self.said, start + UInt64(SerialChunk.mostBytes))
        let bytes = start < end ? (start..<end).map { UInt8(truncatingIfNeeded: $0) } : []
        return SerialChunk(end: end, bytes: bytes, runs: end < Self.said)
    }

    static let events = [
        EventChunk.Entry(.panic, at: HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_000)),
        EventChunk.Entry(.shutdown, at: HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_001)),
    ]

    /// A machine that has panicked and shut down, of which no process lives.
    func readEvents(
        of machine: MachinePlace,
        after mark: EventMark?
    ) async throws(HypervisorError) -> EventChunk {
        try await hear(
            "read-events \(machine.simulation)/\(machine.machine) \(mark.map { "\($0.log) \($0.number)" } ?? "nil")"
        )
        let known = mark?.log == "one" ? Int(clamping: mark?.number ?? 0) : 0
        return EventChunk(
            end: EventMark(log: "one", number: 2),
            events: Array(Self.events.dropFirst(known)),
            runs: false,
            serialBegins: [0: .max, 3: 5]
        )
    }

    func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) {
        try await hear("write-serial \(port.simulation)/\(port.machine)/\(port.number) \(bytes)")
    }

    func end(_ simulation: String) async throws(HypervisorError) { try await hear("end \(simulation)") }

    func verify(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason] {
        try await hear("verify \(checkpoint.folder)")
        return [Reason(code: "checkpoint-corrupt", machine: "bmc", message: "bytes differ")]
    }

    func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] {
        try await hear("seal \(checkpoint.folder)")
        return []
    }

    func lost(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason] {
        try await hear("lost \(checkpoint.folder)")
        return []
    }

    func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] {
        try await hear("edit-clocks \(order.source.folder) \(order.folder)")
        return []
    }

    func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        try await hear("standalone \(order.checkpoint.folder) \(order.scratch) \(order.gathers)")
        let sources = [
            "a": FilePlace(folder: order.checkpoint.folder, path: "machines/bmc/ram"),
            "b": FilePlace(folder: order.scratch, path: "machines/bmc/launch/0-kernel"),
        ]
        return StandaloneCheckpoint(machines: [], sources: sources)
    }

    /// A file of as many bytes as its answers have to have together, each with what its offset is; of the second half nothing but hole.
    func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        try await hear("read \(file.absolute) \(offset)")
        let size = UInt64(4 * FilePiece.mostBytes)
        guard offset < size / 2 else { return FilePiece(offset: size, bytes: [], size: size) }
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: offset), count: FilePiece.mostBytes)
        return FilePiece(offset: offset + 5, bytes: bytes, size: size)
    }

    func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) {
        try await hear("write \(file.absolute) \(piece.offset) \(piece.bytes.count) \(piece.size)")
    }

    /// Of RAM it has what is asked for.
    func copyShared(_ order: SharedFileOrder) async throws(HypervisorError) -> Bool {
        try await hear("shared \(order.source.absolute) \(order.target.absolute)")
        return order.file.role == .ram
    }

    func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        try await hear("fit \(order.checkpoint.folder) \(order.finalFolder) \(order.limits?.binaries ?? ["none"])")
        return Arrival(
            simulation: order.simulation,
            machines: order.checkpoint.machines,
            obstacles: [Reason(code: "qemu-missing", machine: "bmc", message: "none")],
            notes: ["other"]
        )
    }

    func leftovers(besides simulations: [String], removing: Bool) async throws(HypervisorError) -> [Leftover] {
        try await hear("leftovers \(simulations) \(removing)")
        return [Leftover(path: "/x", bytes: .max)]
    }

    func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {
        try await hear("move \(folder) \(final)")
    }

    func removeCheckpoint(folder: String) async throws(HypervisorError) { try await hear("remove \(folder)") }
}
