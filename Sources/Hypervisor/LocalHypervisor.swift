public import HypervisorAPI
import HostClock
public import Logging
public import Time

/// The hypervisor of this host, in this process: it owns the host's machines and carries out operations on them.
///
/// The actor keeps the books (machines, operations, handles, who holds which simulation); the work of an operation is its own
/// ``HostOperation``'s. QEMU processes outlive it: a new instance over the same home finds them by their records.
public actor LocalHypervisor: Hypervisor {
    private enum Progress {
        case preparing
        case prepared(any HostOperation, Handle, expiry: Task<Void, Never>)
        case arming(any HostOperation, Task<Armed, Never>)
        case executed(any HostOperation, Task<HypervisorReport, Never>)
        /// In the journal after a restart.
        case found(any HostOperation)
        case settling(any HostOperation, Task<HypervisorError?, Never>)
    }

    /// What is awaited of an operation that has been armed, or why it is not.
    private typealias Armed = Result<@Sendable () async -> HypervisorReport, HypervisorError>

    /// How long a handle for no particular instant is good.
    private static let patience = Span.seconds(60)

    /// A common instant to go on at is near, or of no use.
    private static let longestContinue = Span.seconds(2)

    public nonisolated let host: String

    let surroundings: Surroundings
    let logger: Logger
    private var machines: [MachineName: LifetimeManager] = [:]
    private var operations: [OperationID: Progress] = [:]
    private var holders: [String: OperationID] = [:]
    private var handles = HandleBook()

    /// Takes charge of the host's state folder, finds the machines that live, and reads the journal.
    /// - Parameters:
    ///   - home: absolute path; made when it is not there.
    ///   - ramFolder: absolute; where machines have their RAM. nil: in memory, where this host has a place for that.
    public init(home: String, host: String, ramFolder: String? = nil, logger: Logger) async throws {
        self.host = host
        self.logger = logger
        surroundings = try Surroundings(home: home, host: host, ramFolder: ramFolder, logger: logger)
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
            if order.kind.saves { await leaveChains(order) }
            let required = try await operation.prepare()
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

    public func undecided() async -> [UndecidedOperation] {
        var found: [UndecidedOperation] = []
        for progress in operations.values {
            switch progress {
            case .found(let operation), .executed(let operation, _), .prepared(let operation, _, _):
                found.append(
                    UndecidedOperation(
                        operation: operation.entry.operation,
                        kind: operation.entry.kind,
                        simulation: operation.entry.simulation,
                        machines: operation.entry.machines,
                        happened: await operation.happened()
                    )
                )
            case .preparing, .arming, .settling:
                continue
            }
        }
        return found
    }

    // MARK: - The books

    func machines(named names: [String], of simulation: String) throws(HypervisorError) -> [LifetimeManager] {
        var found: [LifetimeManager] = []
        var missing: [Reason] = []
        for name in names {
            if let machine = machines[MachineName(simulation: simulation, machine: name)] {
                found.append(machine)
            } else {
                missing.append(
                    Reason(
                        code: "machine-unknown",
                        machine: name,
                        message: "there is no such machine of \(simulation) here"
                    )
                )
            }
        }
        guard missing.isEmpty else { throw HypervisorError(missing) }
        return found
    }

    func allMachines(of simulation: String?) -> [LifetimeManager] {
        machines.filter { simulation == nil || $0.key.simulation == simulation }
            .sorted { $0.key < $1.key }
            .map(\.value)
    }

    func holder(of simulation: String) -> OperationID? { holders[simulation] }

    func add(_ machine: LifetimeManager, as name: MachineName) { machines[name] = machine }

    func remove(_ name: MachineName) { machines[name] = nil }

    func requireFree(_ simulation: String) throws(HypervisorError) {
        guard let holder = holders[simulation] else { return }
        throw HypervisorError(
            code: "busy",
            message: "\(simulation) is held by operation \(holder); wait until it has ended"
        )
    }

    /// Runs `body` while no operation can take the simulation.
    func holding<Result>(
        _ simulation: String,
        for purpose: String,
        _ body: () async throws(HypervisorError) -> Result
    ) async throws(HypervisorError) -> Result {
        try requireFree(simulation)
        holders[simulation] = OperationID(text: purpose)
        defer { holders[simulation] = nil }
        return try await body()
    }

    private func issueHandle(for order: Order, required: Span) -> Handle {
        let now = surroundings.clock.now()
        let earliest = now + required
        let handle = Handle(
            token: Handle.randomToken(),
            operation: order.operation,
            kind: order.kind,
            simulation: order.simulation,
            machines: order.machines,
            instant: order.instant,
            earliest: earliest,
            expires: order.instant ?? earliest + Self.patience
        )
        handles.issue(handle, now: now)
        return handle
    }

    /// What a daemon before this one prepared can be executed by nobody any more: its handle is gone. Nobody needs to ask for it
    /// either, so it is given back unasked, again and again until that succeeds; so is what another daemon began to give back.
    private func giveBackLater(_ id: OperationID) {
        Task { [weak self] in
            var pause = Span.seconds(1)
            while let self, await !self.givesBack(id) {
                try? await Task.sleep(for: pause.duration)
                pause = min(pause + pause, .seconds(60))
            }
        }
    }

    private func givesBack(_ id: OperationID) async -> Bool {
        // Nothing stands still, so nothing has to go on with others.
        let instant = surroundings.clock.now()
        do throws(HypervisorError) {
            try await settle(id) { (operation) async throws(HypervisorError) in
                try await operation.rollback(continueAt: instant)
            }
            return true
        } catch {
            logger.error("cannot be given back yet: \(error)", metadata: ["operation": "\(id)"])
            return false
        }
    }

    /// What was prepared and never executed is given back, so that no forgotten handle holds machines for ever.
    private func expiry(of handle: Handle) -> Task<Void, Never> {
        let wait = handle.expires - surroundings.clock.now()
        return Task { [weak self] in
            do {
                try await Task.sleep(for: wait.duration)
            } catch {
                return
            }
            await self?.cancel(handle)
        }
    }

    private func settle(
        _ id: OperationID,
        _ body: @escaping @Sendable (any HostOperation) async throws(HypervisorError) -> Void
    ) async throws(HypervisorError) {
        await armed(id)
        switch operations[id] {
        case .executed(let operation, let task):
            _ = await task.value
            try await settle(id, operation, orElse: .executed(operation, task), body)
        case .found(let operation):
            try await settle(id, operation, orElse: .found(operation), body)
        case .settling(_, let task):
            // It was told twice: the second teller hears what becomes of the first.
            if let error = await task.value { throw error }
        case .preparing, .prepared, .arming:
            throw HypervisorError(code: "operation-not-executed", message: "operation \(id) has not been executed")
        case nil:
            return
        }
    }

    /// Waits while an operation is being armed: what is to be told to it then is told to an armed one.
    private func armed(_ id: OperationID) async {
        while case .arming(_, let task) = operations[id] {
            _ = await task.value
            await Task.yield()
        }
    }

    private func settle(
        _ id: OperationID,
        _ operation: any HostOperation,
        orElse before: Progress,
        _ body: @escaping @Sendable (any HostOperation) async throws(HypervisorError) -> Void
    ) async throws(HypervisorError) {
        let settling = Task { () -> HypervisorError? in
            do throws(HypervisorError) {
                try await body(operation)
                return nil
            } catch {
                return error
            }
        }
        operations[id] = .settling(operation, settling)
        if let error = await settling.value {
            operations[id] = before
            throw error
        }
        operation.stages.finish()
        // Before another operation can have the simulation.
        await shortenChains(of: operation.entry.simulation)
        operations[id] = nil
        holders = holders.filter { $0.value != id }
    }

    /// Ends all machines of a simulation whatever is under way with it and never was told how to end; of that, too, nothing is left.
    /// - Returns: false when nothing of the kind is under way.
    func endUnsettled(
        _ simulation: String,
        _ end: @escaping @Sendable () async throws(HypervisorError) -> Void
    ) async throws(HypervisorError) -> Bool {
        guard let id = holders[simulation] else { return false }
        let (operation, before): (any HostOperation, Progress)
        switch operations[id] {
        case .prepared(_, let handle, _):
            await cancel(handle)
            return false
        case .found(let found): (operation, before) = (found, .found(found))
        case .executed(let executed, let task):
            await executed.disarm()
            task.cancel()
            _ = await task.value
            (operation, before) = (executed, .executed(executed, task))
        default: return false
        }
        let surroundings = surroundings
        let machines = allMachines(of: simulation)
        try await settle(id, operation, orElse: before) { (operation) async throws(HypervisorError) in
            if operation.entry.kind.saves {
                for machine in machines { machine.leaveRAM(to: operation.entry) }
            } else {
                // First: RAM that was taken from a checkpoint and never written goes back to it.
                try await operation.rollback(continueAt: surroundings.clock.now())
            }
            try await end()
            try surroundings.journal.remove(operation.entry.operation)
        }
        return true
    }

    private func forget(_ id: OperationID, of simulation: String) {
        operations[id] = nil
        if holders[simulation] == id { holders[simulation] = nil }
    }
}
