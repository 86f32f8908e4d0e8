import Glibc
import GuestClock
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// What is needed to save one machine into a checkpoint, taken while it still runs.
struct MachineSaving: Sendable {
    private static let longestSave = Span.seconds(3600)
    /// Devices' state, the stream's framing, the description at its end; generously.
    private static let besidesRAM: UInt64 = 16 << 20

    private let record: MachineRecord
    private let monitor: QMPConnection
    private let choice: SavingChoice
    private let saver: any StateSaver
    /// Of a machine whose RAM is saved while it runs on, or into a file of its own.
    private let held: HeldStream?
    private let folder: CheckpointFolder

    var savedWhile: SavedWhile? { choice.savedWhile }
    var obstacle: String? { choice.obstacle }

    /// Looks whether the machine can be saved and brought back; takes nothing.
    /// - Returns: every reason why not.
    static func obstacles(to machine: LifetimeManager) async -> [Reason] {
        let record = machine.record
        var found = ReasonList(of: record.name)
        let monitor = await found.attempt { () async throws(HypervisorError) in try await machine.monitor() }
        if let monitor {
            await found.attempt { () async throws(HypervisorError) in try await refuseUnlessRunning(machine) }
            let blockers = await found.attempt { () async throws(HypervisorError) in try await Self.blockers(monitor) }
            found.add(blockers ?? [])
        }
        found.add(record.obstacles)
        found.attempt { () throws(HypervisorError) in
            try RAMWay.choose(for: record)
        }
        return found.reasons
    }

    /// An upper bound on what the machine's state will take on disk: RAM that was never touched is not in the process, but for that of
    /// a checkpoint which the machine looks at.
    static func estimatedBytes(of machine: LifetimeManager) -> UInt64 {
        let resident = ProcFile.residentBytes(of: machine.record.identity.pid) ?? 0
        guard let memory = machine.record.memory else { return resident + besidesRAM }
        let file = ProcFile.allocatedBytes(of: memory.path) ?? 0
        return (memory.shared ? max(resident, file) : resident + file) + besidesRAM
    }

    /// Hands QEMU the file to write to. The machine has no ``obstacles(to:)``.
    /// - Parameters:
    ///   - store: for a second copy of RAM that is written.
    ///   - goingOn: of a machine that is to run on as soon as it can.
    static func prepare(
        _ machine: LifetimeManager,
        into path: String,
        store: RAMStore,
        goingOn: Bool = false
    ) async throws(HypervisorError) -> MachineSaving {
        let record = machine.record
        do throws(HypervisorError) {
            let monitor = try await machine.monitor()
            let choice = try await SavingChoice(for: record, monitor, goingOn: goingOn)
            let folder = CheckpointFolder(path: path)
            let statePath = "\(path)/\(folder.statePath(of: record.name))"
            let ram = choice.separateRAM(of: record, at: "\(path)/\(folder.ramPath(of: record.name))", store: store)
            let held =
                choice.isBehind || ram != nil ? try HeldStream(into: statePath, ram: ram, isHeld: choice.isBehind) : nil
            let saving = MachineSaving(
                record: record,
                monitor: monitor,
                choice: choice,
                saver: held.map { HeldSaver(stream: $0, monitor: monitor, behind: choice.isBehind) }
                    ?? choice.way.saver(to: statePath, monitor: monitor),
                held: held,
                folder: folder
            )
            try await saving.saver.prepare()
            return saving
        } catch {
            throw error.of(record.name)
        }
    }

    func release() async { await saver.release() }

    /// QEMU reads all RAM of a stopped machine before it saves it behind the guest's back, which takes half a second a GiB of a file that
    /// nobody touched, and 8 ms of one whose pages are there. So they are brought in while the guest runs.
    /// - Parameter isInTime: asked again and again; what is left when it says no takes its time at the instant.
    /// - Returns: why the machine may stand still for longer than it has to; nil when it need not.
    func bringInRAM(stages: StageLog, while isInTime: @escaping @Sendable () -> Bool) async -> String? {
        guard savedWhile == .running, let memory = record.memory else { return nil }
        let pid = record.identity.pid
        let outcome = await stages.measure("touch", of: record.name, bytes: memory.bytes) {
            await BlockingThread.run { ProcessPages.bringIn(memory.path, of: pid, while: isInTime) }
        }
        return switch outcome {
        case .all: nil
        case .some(let reached, let bytes):
            "there was time to touch \(reached >> 20) of its \(bytes >> 20) MiB of RAM beforehand; the rest made its pause longer"
        case .refused(let error):
            "its RAM could not be touched beforehand (\(String(cString: strerror(error)))), which can make its pause longer"
        }
    }

    /// The machine goes on: its RAM may be written. Until then the guest waits at the first page that it writes.
    func letWrite() { held?.open() }

    /// What is under way fails rather than waits.
    func giveUp() { held?.close() }

    /// Saves the stopped machine; it stays paused.
    func save(stoppedAt: HostInstant, host: String, stages: StageLog) async throws(HypervisorError) -> MachineCheckpoint
    {
        try await writeStanding(stages: stages)
        return try await seal(stoppedAt: stoppedAt, host: host, stages: stages)
    }

    /// Writes the stopped machine's state, as far as it has to stand still for that.
    /// - Returns: what ``writeRest(_:stages:)`` waits with.
    @discardableResult
    func writeStanding(stages: StageLog) async throws(HypervisorError) -> QMPEvents {
        let events = monitor.events()
        let behind = savedWhile == .running
        try await stages.measure(behind ? "freeze" : "save", of: record.name) { () async throws(HypervisorError) in
            do throws(QMPError) {
                try await monitor.migrate(uri: saver.uri)
            } catch {
                throw HypervisorError(error, machine: record.name)
            }
            if behind {
                let pageSize = try await monitor.migrationActive(in: events, within: .seconds(10))
                held?.learn(pageSize: pageSize)
            } else {
                if let held {
                    // What is not known by then stays in the stream.
                    held.learn(pageSize: await monitor.migrationPageSize(within: .milliseconds(500)))
                    held.open()
                }
                try await end(events)
                try await monitor.settle(into: [.postMigrate], within: .seconds(10))
            }
        }
        return events
    }

    /// Waits for what is written while the machine runs on.
    func writeRest(_ events: QMPEvents, stages: StageLog) async throws(HypervisorError) {
        guard savedWhile == .running else { return }
        try await stages.measure("save", of: record.name) { () async throws(HypervisorError) in
            try await end(events, running: true)
        }
    }

    private func end(_ events: QMPEvents, running: Bool = false) async throws(HypervisorError) {
        do throws(HypervisorError) {
            try await monitor.migrationEnd(in: events, within: Self.longestSave, running: running)
        } catch {
            // Called off, or QEMU hangs: its pipe may be open for as long.
            guard !error.reasons.contains(where: { $0.code == "migration-stalled" }) else { throw error }
            // QEMU knows of a broken pipe only.
            throw await held?.failure() ?? error
        }
        if let failure = await held?.failure() { throw failure }
    }

    /// Reads what was written, freezes the disks' layers, and digests all.
    func seal(stoppedAt: HostInstant, host: String, stages: StageLog) async throws(HypervisorError) -> MachineCheckpoint
    {
        let name = record.name
        let statePath = folder.statePath(of: name)
        let path = "\(folder.path)/\(statePath)"
        let isSeparated = await held?.isSeparated() == true
        let way = isSeparated ? .file : choice.way
        let state = try StoredState(path: path)
        let clock = try state.clockState(launch: record.launch, stoppedAt: stoppedAt)
        if way == .file, !isSeparated, let memory = record.memory {
            try RAMStore.point("\(folder.path)/\(folder.ramPath(of: name))", to: memory.path)
        }
        let disks = try await stages.measure("disks", of: name) { () async throws(HypervisorError) in
            try await folder.freeze(record.disks, of: record)
        }
        let (digest, tailDigest) = try await stages.measure("digest", of: name, bytes: state.stream.size) {
            () async throws(HypervisorError) in
            (
                try await FileDigest.sha256(of: path),
                try await FileDigest.sha256(of: path, from: state.stream.deviceStateOffset)
            )
        }
        return MachineCheckpoint(
            name: name,
            host: host,
            launch: record.launch,
            ramWay: way,
            state: CheckpointFile(role: .state, path: statePath, bytes: state.stream.size, sha256: digest),
            ram: way == .file
                ? record.memory.map {
                    CheckpointFile(role: .ram, path: folder.ramPath(of: name), bytes: $0.bytes, sha256: nil)
                } : nil,
            deviceStateOffset: state.stream.deviceStateOffset,
            deviceStateSHA256: tailDigest,
            disks: disks,
            stoppedAt: stoppedAt,
            clock: clock
        )
    }

    private static func blockers(_ monitor: QMPConnection) async throws(HypervisorError) -> [Reason] {
        do throws(QMPError) {
            return try await monitor.queryMigrate().blockedReasons.map {
                Reason(code: "migration-blocked", message: "QEMU cannot save it: \($0)")
            }
        } catch {
            throw HypervisorError(error)
        }
    }

    private static func refuseUnlessRunning(_ machine: LifetimeManager) async throws(HypervisorError) {
        let state = try await machine.runState()
        guard state == .running else {
            throw HypervisorError(
                code: "machine-not-running",
                message: "it is \(state), not running; only running machines can be suspended"
            )
        }
    }
}
