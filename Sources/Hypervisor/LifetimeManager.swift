import Logging
import HostClock
import HypervisorAPI
import QMP
import Synchronization
import Time

/// Everything that is held for one machine while its process lives: the process, its monitor, its run folder, and what has
/// been learned of how quickly it follows commands.
actor LifetimeManager {
    nonisolated let name: MachineName
    private nonisolated let kept: Mutex<MachineRecord>
    nonisolated let surroundings: Surroundings
    nonisolated let events = EventLog()
    private var connection: QMPConnection?
    /// Somebody is connecting. QEMU talks to one client at a time, so a second one waits for this, too.
    private var connecting: Task<Result<QMPConnection, QMPError>, Never>?
    private var lastRunState: RunState?
    private var isLetGo = false
    /// Of earlier processes of this machine, too.
    private var leads: [InstantCommand: LeadCalibration]
    private let leadStore: LeadStore
    private var savingLeads: Task<Void, Never>?
    /// Work on the layers of its disks, beside the guest.
    var shortening: Task<Void, Never>?
    /// Layers between a disk and the image it began with, when they were last counted: of the disk that has most.
    var longestChain = 0

    /// An orderly `quit` flushes and closes images; one that takes longer than this hangs.
    private static let quitTime = Span.seconds(10)
    private static let hangTime = Span.seconds(3)
    private static let connectTime = Span.seconds(5)
    private static let askTime = Span.seconds(8)
    private static let askTimeInOperation = Span.milliseconds(500)

    init(record: MachineRecord, surroundings: Surroundings, monitor: QMPConnection? = nil) {
        name = MachineName(record)
        kept = Mutex(record)
        self.surroundings = surroundings
        connection = monitor
        leadStore = LeadStore(path: surroundings.leadFile(of: name))
        leads = leadStore.load()
        // A machine that was just started waits for its `cont`: nothing that it does later is missed.
        if let monitor { events.collect(monitor.events(), by: surroundings.clock) }
    }

    nonisolated var record: MachineRecord { kept.withLock { $0 } }

    /// Goes on with other layers, durably.
    func replaceDisks(with disks: [MachineRecord.RunningDisk]) throws(HypervisorError) {
        var record = record
        record.disks = disks
        try record.save()
        kept.withLock { [record] in $0 = record }
    }

    nonisolated var isAlive: Bool { record.identity.isAlive }

    /// The open monitor; connects again when it was lost.
    func monitor() async throws(HypervisorError) -> QMPConnection {
        guard isAlive else {
            throw HypervisorError(
                code: "machine-dead",
                machine: name.machine,
                message: "its QEMU (process \(record.identity.pid)) has ended; see \(record.log ?? "its own log")"
            )
        }
        if let connection, connection.isOpen { return connection }
        let address = record.monitor
        let task =
            connecting
            ?? Task {
                do throws(QMPError) {
                    let address = try QMPAddress(parsing: address)
                    return .success(try await QMPConnection.connect(to: address, timeout: Self.connectTime))
                } catch {
                    return .failure(error)
                }
            }
        connecting = task
        let result = await task.value
        if connecting == task {
            connecting = nil
            connection = try? result.get()
            if isLetGo {
                await connection?.close()
                connection = nil
            }
            if let connection { hear(connection) }
        }
        do throws(QMPError) {
            return try result.get()
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
    }

    /// Connects, where it is not connected, so that what befalls it is heard.
    /// - Returns: false when it was let go: its monitor is its owner's.
    func listen() async -> Bool {
        guard !isLetGo else { return false }
        _ = try? await monitor()
        return !isLetGo
    }

    private func hear(_ connection: QMPConnection) {
        events.collect(connection.events(), by: surroundings.clock)
        Task {
            // What it stands still for befell it before.
            guard let state = try? await runState(), let event = GuestEvent(state) else { return }
            events.find(event, at: surroundings.clock.now())
        }
    }

    func lead(of command: InstantCommand) -> Span { leads[command]?.lead ?? .zero }

    func learn(_ command: InstantCommand, sentAt: HostInstant, stampedAt: HostInstant) {
        leads[command, default: LeadCalibration()].record(sentAt: sentAt, stampedAt: stampedAt)
        // What follows the instant does not wait for it: a machine that was stopped is to be saved now.
        savingLeads = Task(priority: .utility) { [leads, leadStore, earlier = savingLeads] in
            await earlier?.value
            leadStore.save(leads)
        }
    }

    func runState() async throws(HypervisorError) -> RunState {
        let monitor = try await monitor()
        do throws(QMPError) {
            let state = try await monitor.queryStatus().status
            lastRunState = state
            return state
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
    }

    /// Ends the process and removes what it had in its run folder. The folder's layers go too: whoever needs one has a
    /// link to it.
    /// - Parameter keepingRAM: of a file: a checkpoint has it now.
    func end(keepingRAM: Bool = false) async throws(HypervisorError) {
        if isAlive {
            // The answer to quit may or may not come before the end: only the end counts. Without any the process hangs.
            let heard: Bool? = await withTimeLimit(Self.hangTime) {
                guard let monitor = try? await self.monitor() else { return nil }
                _ = try? await monitor.quit()
                return Task.isCancelled ? nil : true
            }
            if await !record.identity.waitForExit(timeout: heard == nil ? .zero : Self.quitTime) {
                surroundings.logger.warning(
                    "\(name) does not quit; it is killed",
                    metadata: ["pid": "\(record.identity.pid)"]
                )
                try await record.identity.terminate()
            }
        } else {
            // One that died by itself is still to be collected, or it stays as a zombie for as long as this process lives.
            _ = await record.identity.waitForExit(timeout: Self.hangTime)
        }
        await letGo()
        let folder = RunFolder(path: record.folder)
        if keepingRAM { RunFolder.unlinkFile(folder.ramLink) }
        try folder.remove(surroundings.ram)
    }

    /// RAM that a checkpoint has by its final name, of a suspend that was decided and never confirmed, is not this machine's any more.
    nonisolated func leaveRAM(to entry: JournalEntry) {
        guard let memory = record.memory, let folder = entry.folder else { return }
        let final = folder.hasSuffix(".partial") ? String(folder.dropLast(".partial".count)) : folder
        let ram = "\(final)/\(CheckpointFolder(path: final).ramPath(of: name.machine))"
        guard ProcFile.readLink(ram) == memory.path else { return }
        RunFolder.unlinkFile(RunFolder(path: record.folder).ramLink)
    }

    /// Closes the monitor; the process goes on.
    func letGo() async {
        isLetGo = true
        shortening?.cancel()
        await savingLeads?.value
        await connection?.close()
        connection = nil
    }

    func status(heldBy operation: OperationID?) async -> MachineStatus {
        var runState: RunState?
        if isAlive {
            // While a command is armed on its monitor nobody can ask; what it was before is what it is.
            let asked = await withTimeLimit(operation == nil ? Self.askTime : Self.askTimeInOperation) {
                try? await self.runState()
            }
            runState = asked ?? (operation == nil ? nil : lastRunState)
        }
        return MachineStatus(
            simulation: name.simulation,
            name: name.machine,
            host: surroundings.host,
            state: Self.state(isAlive: isAlive, runState: runState),
            runState: runState?.description,
            processID: isAlive ? record.identity.pid : nil,
            adopted: record.adopted,
            monitor: record.monitor,
            serialSockets: record.serialSockets,
            log: record.log,
            launch: record.launch,
            operation: operation
        )
    }

    private static func state(isAlive: Bool, runState: RunState?) -> MachineStatus.State {
        guard isAlive else { return .dead }
        return switch runState {
        case .running: .running
        case .inMigrate: .loading
        case .finishMigrate, .saveVM: .saving
        case nil: .unreachable
        default: .paused
        }
    }
}
