import Logging
import HostClock
import HypervisorAPI
import QMP
import Time

/// Everything that is held for one machine while its process lives: the process, its monitor, its run folder, and what has
/// been learned of how quickly it follows commands.
actor LifetimeManager {
    nonisolated let name: MachineName
    nonisolated let record: MachineRecord
    nonisolated let surroundings: Surroundings
    private var connection: QMPConnection?
    private var leads: [InstantCommand: LeadCalibration] = [:]

    /// An orderly `quit` flushes and closes images; one that takes longer than this hangs.
    private static let quitTime = Span.seconds(10)
    private static let connectTime = Span.seconds(5)

    init(record: MachineRecord, surroundings: Surroundings, monitor: QMPConnection? = nil) {
        name = MachineName(record)
        self.record = record
        self.surroundings = surroundings
        connection = monitor
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
        do throws(QMPError) {
            let fresh = try await QMPConnection.connect(
                to: QMPAddress(parsing: record.monitor),
                timeout: Self.connectTime
            )
            connection = fresh
            return fresh
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
    }

    func lead(of command: InstantCommand) -> Span { leads[command]?.lead ?? .zero }

    func learn(_ command: InstantCommand, sentAt: HostInstant, stampedAt: HostInstant) {
        leads[command, default: LeadCalibration()].record(sentAt: sentAt, stampedAt: stampedAt)
    }

    func runState() async throws(HypervisorError) -> RunState {
        let monitor = try await monitor()
        do throws(QMPError) {
            return try await monitor.queryStatus().status
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
    }

    /// Ends the process and removes what it had in its run folder. The folder's layers go too: whoever needs one has a
    /// link to it.
    func end() async throws(HypervisorError) {
        if isAlive {
            if let monitor = try? await monitor() {
                // The answer to quit may or may not come before the end: only the end counts.
                _ = try? await monitor.quit()
            }
            if await !record.identity.waitForExit(timeout: Self.quitTime) {
                surroundings.logger.warning(
                    "\(name) does not quit; it is killed",
                    metadata: ["pid": "\(record.identity.pid)"]
                )
                try await record.identity.terminate()
            }
        } else {
            // One that died by itself is still to be collected, or it stays as a zombie for as long as this process lives.
            _ = await record.identity.waitForExit(timeout: .zero)
        }
        await letGo()
        try RunFolder(path: record.folder).remove()
    }

    /// Closes the monitor; the process goes on.
    func letGo() async {
        await connection?.close()
        connection = nil
    }

    func status(heldBy operation: OperationID?) async -> MachineStatus {
        var runState: RunState?
        if isAlive { runState = try? await self.runState() }
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
