public import HypervisorAPI
import HostClock
public import Logging
public import Time

/// The hypervisor of this host, in this process: it owns the host's machines and carries out operations on them.
///
/// The actor keeps the books (machines, operations, handles, who holds which simulation); the work of an operation is its own
/// ``HostOperation``'s. QEMU processes outlive it: a new instance over the same home finds them by their records.
public actor LocalHypervisor: Hypervisor {
    enum Progress {
        case preparing
        case prepared(any HostOperation, Handle, expiry: Task<Void, Never>)
        case arming(any HostOperation, Task<Armed, Never>)
        case executed(any HostOperation, Task<HypervisorReport, Never>)
        /// In the journal after a restart.
        case found(any HostOperation)
        case settling(any HostOperation, Task<HypervisorError?, Never>)
    }

    /// What is awaited of an operation that has been armed, or why it is not.
    typealias Armed = Result<@Sendable () async -> HypervisorReport, HypervisorError>

    /// A common instant to go on at is near, or of no use.
    private static let longestContinue = Span.seconds(2)

    public nonisolated let host: String

    let surroundings: Surroundings
    let logger: Logger
    var machines: [MachineName: LifetimeManager] = [:]
    var operations: [OperationID: Progress] = [:]
    var holders: [String: OperationID] = [:]
    var handles = HandleBook()

    /// Takes charge of the host's state folder, finds the machines that live, and reads the journal.
    /// - Parameters:
    ///   - home: absolute path; made when it is not there.
    ///   - ramFolder: absolute; where machines have their RAM. nil: in memory, where this host has a place for that.
    ///   - sharedFolders: absolute; as which this host sees other hosts' folders of checkpoints.
    public init(
        home: String,
        host: String,
        ramFolder: String? = nil,
        sharedFolders: [String] = [],
        logger: Logger
    ) async throws {
        self.host = host
        self.logger = logger
        surroundings = try Surroundings(
            home: home,
            host: host,
            ramFolder: ramFolder,
            sharedFolders: sharedFolders,
            logger: logger
        )
        for record in surroundings.storedRecords() {
            machines[MachineName(record)] = LifetimeManager(record: record, surroundings: surroundings)
        }
        let (entries, unreadable) = surroundings.journal.load()
        for error in unreadable { logger.error("\(error)") }
        for entry in entries {
            operations[entry.operation] = .found(operation(found: entry))
            holders[entry.simulation] = entry.operation
            if [.preparing, .rollingBack].contains(entry.phase) { giveBackLater(entry.operation) }
        }
        for simulation in Set(machines.keys.map(\.simulation)) where holders[simulation] == nil {
            await shortenChains(of: simulation)
        }
    }

    /// Where RAM of machines lies while it is in no checkpoint.
    public nonisolated var ramFolder: String { surroundings.ram.folder }

    // MARK: - Operations

    public func prepare(_ order: Order) async -> PrepareAnswer {
        let id = order.operation
        if let holder = holders[order.simulation] {
            return .refused([
                Reason(
                    code: "busy",
                    message: "\(order.simulation) is held by operation \(holder); wait until it has ended"
                )
            ])
        }
        guard operations[id] == nil else {
            return .refused([Reason(code: "operation-known", message: "there is an operation \(id) already")])
        }
        holders[order.simulation] = id
        operations[id] = .preparing
        do throws(HypervisorError) {
            let past = surroundings.obstacles(to: order.instant)
            let operation: any HostOperation
            do throws(HypervisorError) {
                operation = try self.operation(for: order)
            } catch {
                throw HypervisorError(past + error.reasons)
            }
            // Nothing is taken for an instant that is past, but whatever else is in the way is told with it.
            guard past.isEmpty else { throw HypervisorError(past + (await operation.obstacles())) }
            let required = try await operation.stages.measure("prepare") { () async throws(HypervisorError) in
                if order.kind.saves { await leaveChains(order) }
                return try await operation.prepare()
            }
            let tooNear = surroundings.obstacles(to: order.instant, within: required)
            guard tooNear.isEmpty else {
                await operation.cancel()
                throw HypervisorError(tooNear)
            }
            // Whoever leaves the instant to us shall not miss it because the host is busy.
            let expected = order.instant == nil ? HostLoad.expectedDelay : .zero
            let handle = issueHandle(for: order, required: required + expected)
            operations[id] = .prepared(operation, handle, expiry: expiry(of: handle))
            log("prepared: \(order.kind.rawValue) of \(order.simulation)", id)
            return .ready(handle)
        } catch {
            forget(id, of: order.simulation)
            log("refused: \(error)", id)
            return .refused(error.reasons)
        }
    }

    public func cancel(_ handle: Handle) async {
        guard handles.withdraw(handle), case .prepared(let operation, _, let expiry) = operations[handle.operation]
        else {
            return
        }
        expiry.cancel()
        let cancelling = Task { () -> HypervisorError? in
            await operation.cancel()
            return nil
        }
        operations[handle.operation] = .settling(operation, cancelling)
        _ = await cancelling.value
        operation.stages.finish()
        forget(handle.operation, of: handle.simulation)
    }

    public func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) {
        try handles.redeem(handle, at: instant, now: surroundings.clock.now())
        guard case .prepared(let operation, _, let expiry) = operations[handle.operation] else {
            throw HypervisorError(
                code: "handle-used",
                message: "operation \(handle.operation) is not waiting to be executed"
            )
        }
        expiry.cancel()
        let arming = Task { () -> Armed in
            do throws(HypervisorError) {
                return .success(try await operation.arm(at: instant))
            } catch {
                await operation.cancel()
                return .failure(error)
            }
        }
        operations[handle.operation] = .arming(operation, arming)
        switch await arming.value {
        case .success(let run):
            operations[handle.operation] = .executed(operation, Task { await run() })
            log("armed for \(instant)", handle.operation)
        case .failure(let error):
            operation.stages.finish()
            forget(handle.operation, of: handle.simulation)
            throw error
        }
    }

    public func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport {
        guard case .executed(_, let task) = operations[operation] else {
            throw HypervisorError(
                code: "operation-unknown",
                message: "no operation \(operation) has been executed here"
            )
        }
        return await task.value
    }

    public func stages(of operation: OperationID) async -> AsyncStream<Stage> {
        switch operations[operation] {
        case .prepared(let operation, _, _), .arming(let operation, _), .executed(let operation, _),
            .found(let operation), .settling(let operation, _):
            operation.stages.follow()
        case .preparing, nil:
            AsyncStream { $0.finish() }
        }
    }

    public func commit(_ operation: OperationID) async throws(HypervisorError) {
        try await settle(operation) { (operation) async throws(HypervisorError) in try await operation.commit() }
        log("committed", operation)
    }

    public func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {
        // Told by another clock, or long ago: machines stand still until then.
        let instant = min(instant, surroundings.clock.now() + Self.longestContinue)
        await armed(operation)
        switch operations[operation] {
        case .prepared(_, let handle, _):
            await cancel(handle)
            return
        case .executed(let executed, let task):
            // Neither an instant that is hours away nor a save of minutes is waited for.
            await executed.disarm()
            task.cancel()
        default:
            break
        }
        try await settle(operation) { (operation) async throws(HypervisorError) in
            try await operation.rollback(continueAt: instant)
        }
        log("rolled back", operation)
    }

    /// The operation's id is the one that the control instance's own lines have.
    private func log(_ what: String, _ operation: OperationID) {
        logger.info("\(what)", metadata: ["operation": "\(operation)"])
    }
}
