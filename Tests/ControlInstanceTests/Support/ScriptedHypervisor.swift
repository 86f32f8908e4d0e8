import FoundationEssentials
import GuestClock
import HostClock
import HypervisorAPI
import Synchronization
import Time

@testable import ControlInstance

/// A double, for faults only that a real host does not give on demand: it keeps the protocol with machines that are mere
/// words, and breaks it where its script says so. It outlives the control instance, as machines do.
final class ScriptedHypervisor: Hypervisor {
    enum Call: String, CaseIterable, Sendable {
        case prepare, cancel, execute, report, commit, rollback, undecided, end, readClocks
    }

    enum Fault: Hashable, Sendable {
        /// Refuses (prepare), or throws this; nothing is done.
        case refuse(String)
        /// Says so of a call that came twice: the first copy was carried out.
        case refuseAfter(String)
        /// Never answers, and does nothing.
        case hang
        /// Never answers, but has done it.
        case hangAfter
        /// Answers only after so many milliseconds.
        case late(Int)
        /// Answers only when the test lets it (``ScriptedHypervisor/letGo()``).
        case held
        /// Says something else than was asked.
        case wrong
        /// Leaves a machine out.
        case forget
        /// What happens at the instant.
        case missed(String)
        case failed(String)
    }

    enum MachineState: String, Sendable { case running, paused }

    struct Operation: Sendable {
        enum Phase: Sendable { case prepared, armed, happened }
        var id: OperationID
        var kind: OperationKind
        var simulation: String
        var machines: [String]
        var folder: String?
        var handle: Handle?
        var phase: Phase
        var outcome = HypervisorReport.Outcome.done
        var instant: HostInstant?
        var checkpoints: [MachineCheckpoint] = []
    }

    struct World: Sendable {
        /// `simulation/machine`.
        var machines: [String: MachineState] = [:]
        var adopted: Set<String> = []
        /// Of the machines that have a serial port, all that it ever said; likewise.
        var said: [String: [UInt8]] = [:]
        var typed: [String] = []
        /// Whoever asks for its machines hears nothing.
        var isOff = false
        var operations: [OperationID: Operation] = [:]
        var calls: [String] = []
        /// What the next reads and writes of files throw; nil: nothing.
        var reads: [HypervisorError?] = []
        var writes: [HypervisorError?] = []
        /// What the next grants and fetches throw; likewise.
        var grants: [HypervisorError?] = []
        var fetches: [HypervisorError?] = []
        /// That it gave out.
        var tickets = 0
        /// What the next looks into shared folders come to; then there is nothing.
        var shared: [Result<Bool, HypervisorError>] = []
        /// What was looked for in them. Every file that comes is, so it is in no list of calls.
        var looked: [String] = []
        /// What the next arrivals are refused with; nil: they are not.
        var fits: [HypervisorError?] = []
        /// What each removal of a checkpoint's folder does first.
        var removing: (@Sendable () async throws(HypervisorError) -> Void)?
        /// For checkpoints; nil: it does not tell.
        var freeBytes: UInt64?
        /// The rest of what each call shall do; an empty list is: as it should be.
        var script: [Call: [Fault]] = [:]
        /// What the order of each prepare was.
        var orders: [Order] = []
        var continuedAt: [HostInstant] = []
        var verdict: [Reason] = []
        /// Of every machine that is saved.
        var disks: [FrozenDisk] = []
        /// What each seal does, the first one first; then as it should.
        var seals: [Fault] = []
        var lost: [Reason] = []
        /// Whether files leave with their true digests, which those that it saves have not.
        var digestsArchives = true
        /// Why a checkpoint cannot be resumed here, as far as it can be known before.
        var obstacles: [Reason] = []
        /// nil: nothing disciplines its clock.
        var clockErrorBound: Span? = .microseconds(3)
        /// What has befallen the present processes; by `simulation/machine`.
        var befallen: [String: [EventChunk.Entry]] = [:]
        /// How much had been said when the present processes began; likewise.
        var begins: [String: Int] = [:]
        /// Whoever asks what machines do is answered at once, also with nothing.
        var isHasty = false
        /// How often that was asked.
        var questions = 0
        /// Reports that are held wait for this.
        var isLetGo = false
    }

    let host: String
    let world = Mutex(World())

    /// Held as long as somebody works with its files.
    private let folder: TemporaryFolder

    init(host: String, folder: TemporaryFolder) {
        self.host = host
        self.folder = folder
    }

    /// From now on, `call` does these things, one a call, then what it should.
    func script(_ call: Call, _ faults: Fault...) { world.withLock { $0.script[call] = faults } }

    func letGo() { world.withLock { $0.isLetGo = true } }

    func states(of simulation: String) -> [String: MachineState] {
        world.withLock { world in
            Dictionary(
                uniqueKeysWithValues: world.machines.filter { $0.key.hasPrefix(simulation + "/") }.map {
                    (String($0.key.dropFirst(simulation.count + 1)), $0.value)
                }
            )
        }
    }

    var calls: [String] { world.withLock { $0.calls } }
    var openOperations: [OperationID] { world.withLock { Array($0.operations.keys) } }

    private func fault(_ call: Call, _ operation: OperationID?) -> Fault? {
        world.withLock { world in
            world.calls.append(call.rawValue)
            guard var rest = world.script[call], !rest.isEmpty else { return nil }
            let fault = rest.removeFirst()
            world.script[call] = rest
            return fault
        }
    }

    /// Longer than any test waits; the task is the test process's to end.
    private func hang() async { try? await Task.sleep(for: .seconds(3600)) }

    // MARK: - The protocol

    func prepare(_ order: Order) async -> PrepareAnswer {
        let operation = Operation(order)
        let fault = fault(.prepare, operation.id)
        world.withLock { $0.orders.append(order) }
        switch fault {
        case .refuse(let code): return .refused([Reason(code: code, message: "\(host) refuses")])
        case .hang: await hang()
        case .late(let milliseconds): try? await Task.sleep(for: .milliseconds(milliseconds))
        default: break
        }
        let busy = world.withLock { world in
            if world.operations.values.contains(where: { $0.simulation == operation.simulation }) { return true }
            world.operations[operation.id] = operation
            if !operation.kind.saves {
                for machine in operation.machines {
                    let key = "\(operation.simulation)/\(machine)"
                    world.machines[key] = .paused
                    world.befallen[key] = []
                    world.begins[key] = world.said[key]?.count ?? 0
                }
            }
            return false
        }
        if busy { return .refused([Reason(code: "busy", message: "\(host) is busy")]) }
        if let folder = operation.folder { makeFolder(folder, operation.machines) }
        let now = HostInstant.now
        var handle = Handle(
            token: "\(UInt64.random(in: 0 ... .max))",
            operation: operation.id,
            kind: operation.kind,
            simulation: operation.simulation,
            machines: operation.machines,
            instant: operation.instant,
            earliest: now + .milliseconds(2),
            expires: operation.instant ?? now + .seconds(20)
        )
        world.withLock { $0.operations[operation.id]?.handle = handle }
        if fault == .wrong { handle.machines = ["somebody-else"] }
        if fault == .forget { handle.expires = now }
        return .ready(handle)
    }

    func cancel(_ handle: Handle) async {
        switch fault(.cancel, handle.operation) {
        case .hang: return await hang()
        default: break
        }
        let isPrepared = world.withLock { world in
            if case .prepared = world.operations[handle.operation]?.phase { return true }
            return false
        }
        if isPrepared { undo(handle.operation) }
    }

    func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) {
        let fault = fault(.execute, handle.operation)
        switch fault {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) does not execute")
        case .hang: await hang()
        default: break
        }
        let known = world.withLock { world in
            guard world.operations[handle.operation]?.handle == handle else { return false }
            world.operations[handle.operation]?.phase = .armed
            world.operations[handle.operation]?.instant = instant
            return true
        }
        guard known else { throw HypervisorError(code: "handle-unknown", message: "\(host) does not know the handle") }
        // Armed, it acts alone.
        Task {
            try? await Task.sleep(for: max(.zero, instant - .now).duration)
            self.happen(handle.operation)
        }
        if fault == .hangAfter { await hang() }
        if case .refuseAfter(let code) = fault {
            throw HypervisorError(code: code, message: "\(host) has executed it already")
        }
    }

    func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport {
        let fault = fault(.report, operation)
        switch fault {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) does not report")
        case .hang: await hang()
        case .missed(let code):
            await waitUntilHappened(operation)
            return report(operation, .missed([Reason(code: code, message: "\(host) was late")]))
        case .failed(let code):
            await waitUntilHappened(operation)
            return report(operation, .failed([Reason(code: code, message: "\(host) could not save")]))
        case .late(let milliseconds): try? await Task.sleep(for: .milliseconds(milliseconds))
        case .held:
            while !world.withLock({ $0.isLetGo }) { try? await Task.sleep(for: .milliseconds(2)) }
        default: break
        }
        await waitUntilHappened(operation)
        var report = report(operation, .done)
        switch fault {
        case .forget: report.machines = Array(report.machines.dropLast())
        case .wrong: for index in report.machines.indices { report.machines[index].saved?.state.path = "../../secret" }
        default: break
        }
        return report
    }

    func stages(of operation: OperationID) async -> AsyncStream<Stage> {
        AsyncStream { continuation in
            continuation.yield(Stage(name: "prepare", startedAt: .now, duration: .milliseconds(1)))
            continuation.yield(Stage(machine: "m", name: "stop", startedAt: .now, duration: .milliseconds(1)))
            continuation.finish()
        }
    }

    func commit(_ id: OperationID) async throws(HypervisorError) {
        let fault = fault(.commit, id)
        switch fault {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) does not commit")
        case .hang: await hang()
        default: break
        }
        world.withLock { world in
            guard let operation = world.operations.removeValue(forKey: id) else { return }
            for machine in operation.machines {
                let key = "\(operation.simulation)/\(machine)"
                world.machines[key] = operation.kind == .suspend ? nil : .running
            }
        }
        if fault == .hangAfter { await hang() }
    }

    func rollback(_ id: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {
        let fault = fault(.rollback, id)
        switch fault {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) does not roll back")
        case .hang: await hang()
        default: break
        }
        world.withLock { $0.continuedAt.append(instant) }
        undo(id)
    }

    func undecided() async -> [UndecidedOperation] {
        if fault(.undecided, nil) == .hang { await hang() }
        return world.withLock { world in
            world.operations.values.map { operation in
                UndecidedOperation(
                    operation: operation.id,
                    kind: operation.kind,
                    simulation: operation.simulation,
                    machines: operation.machines,
                    happened: !operation.kind.saves && operation.phase == .happened
                )
            }
        }
    }

    func end(_ simulation: String) async throws(HypervisorError) {
        switch fault(.end, nil) {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) cannot end it")
        case .hang: await hang()
        default: break
        }
        world.withLock { world in
            world.machines = world.machines.filter { !$0.key.hasPrefix(simulation + "/") }
            world.operations = world.operations.filter { $0.value.simulation != simulation }
        }
    }

    func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus {
        if order.monitor.hasPrefix("refuse:") {
            throw HypervisorError(code: String(order.monitor.dropFirst("refuse:".count)), message: "\(host) cannot")
        }
        let key = "\(order.simulation)/\(order.machine)"
        world.withLock { world in
            world.machines[key] = .running
            world.adopted.insert(key)
        }
        return status(order.simulation, order.machine, .running, adopted: true)
    }

    func machines(of simulation: String?) async throws(HypervisorError) -> [MachineStatus] {
        let (machines, adopted, isOff) = world.withLock { ($0.machines, $0.adopted, $0.isOff) }
        if isOff { throw HypervisorError(code: "host-unreachable", message: "\(host) cannot be reached") }
        return machines.sorted { $0.key < $1.key }.compactMap { key, state in
            let parts = key.split(separator: "/").map(String.init)
            guard simulation == nil || parts[0] == simulation else { return nil }
            return status(parts[0], parts[1], state == .running ? .running : .paused, adopted: adopted.contains(key))
        }
    }

    func describe() async -> HypervisorDescription {
        HypervisorDescription(
            host: host,
            architecture: "x86_64",
            binaries: [],
            findings: [],
            freeBytes: world.withLock { $0.freeBytes }
        )
    }

    func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        if case .late(let milliseconds) = fault(.readClocks, nil) {
            try? await Task.sleep(for: .milliseconds(milliseconds))
        }
        return states(of: simulation).keys.sorted().map { name in
            MachineClocks(
                machine: name,
                readAt: .now,
                pause: pausing ? .milliseconds(2) : .zero,
                clock: .sample(at: .now)
            )
        }
    }

    func obstacles(to order: ResumeOrder) async -> [Reason] { world.withLock { $0.obstacles } }

    func verify(_ checkpoint: StoredCheckpoint) async -> [Reason] { world.withLock { $0.verdict } }

    func lost(_ checkpoint: StoredCheckpoint) async -> [Reason] { world.withLock { $0.lost } }

    func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] {
        let fault = world.withLock { world -> Fault? in
            world.calls.append("seal")
            return world.seals.isEmpty ? nil : world.seals.removeFirst()
        }
        switch fault {
        case .refuse(let code): throw HypervisorError(code: code, message: "\(host) cannot seal it")
        case .hang: await hang()
        case .wrong: return []
        default: break
        }
        guard !Task.isCancelled else { throw HypervisorError(code: "cancelled", message: "called off") }
        return checkpoint.machines.flatMap(\.files).filter { $0.sha256 == nil }.map { file in
            var file = file
            file.sha256 = String(repeating: "b", count: 64)
            return file
        }
    }

    func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] {
        if let fault = fault(.execute, nil), case .refuse(let code) = fault {
            makeFolder(order.folder, order.source.machines.map(\.name))
            throw HypervisorError(code: code, message: "\(host) cannot set that clock")
        }
        makeFolder(order.folder, order.source.machines.map(\.name))
        return order.source.machines
    }

    /// Its files are in the control instance's own folder.
    func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {}

    func removeCheckpoint(folder: String) async throws(HypervisorError) {
        world.withLock { $0.calls.append("remove \(folder.split(separator: "/").suffix(2).joined(separator: "/"))") }
        try await world.withLock { $0.removing }?()
        // Nothing is made for an export, and this folder is the control instance's.
        guard !folder.contains("/exports/") else { return }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
