import HostClock
public import HypervisorAPI
import Synchronization
import Time

extension ControlInstance {
    /// Starts a simulation's machines, all at one instant.
    ///
    /// Returns as soon as the operation is recorded; ``result(of:)`` and ``follow(_:)`` tell how it goes on.
    /// - Throws: when it cannot even begin: the simulation has machines already, or is busy.
    public func up(_ request: UpRequest) async throws(ControlError) -> OperationID {
        try await begin(request.spec.name, "up", as: request.operation) { id throws(ControlError) in
            self.undertake(try await self.plan(request, id))
        }
    }

    /// Stops a simulation's machines at one instant and saves them.
    /// - Throws: when it cannot even begin: no such simulation, nothing runs, busy, the checkpoint's name is taken.
    public func suspend(_ request: SaveRequest) async throws(ControlError) -> OperationID {
        try await begin(request.simulation, "suspend", as: request.operation) { id throws(ControlError) in
            self.undertake(try await self.plan(request, .suspend, id))
        }
    }

    /// Saves a simulation's machines as they are at one instant; they go on, all at a second instant milliseconds later.
    /// - Throws: as ``suspend(_:)``.
    public func checkpoint(_ request: SaveRequest) async throws(ControlError) -> OperationID {
        try await begin(request.simulation, "checkpoint", as: request.operation) { id throws(ControlError) in
            self.undertake(try await self.plan(request, .checkpoint, id))
        }
    }

    /// Lets a simulation go on from a checkpoint, all machines at one instant.
    /// - Throws: when it cannot even begin: no such simulation or checkpoint, machines exist already, busy, the
    ///   checkpoint's manifest is corrupt (exit code 6).
    public func resume(_ request: ResumeRequest) async throws(ControlError) -> OperationID {
        try await begin(request.simulation, "resume", as: request.operation) { id throws(ControlError) in
            self.undertake(try await self.plan(request, id))
        }
    }

    /// Calls an operation off. Before its decision it is undone as a whole and ends as `cancelled`; after that it is too late
    /// and it ends as it would have.
    /// - Throws: when there is no such operation under way.
    public func cancel(_ operation: OperationID) throws(ControlError) {
        guard let live = state.withLock({ $0.live[operation] }) else {
            throw ControlError(code: "operation-not-found", message: "no operation \(operation) is under way")
        }
        live.callOff.call()
    }

    /// Waits for an operation to end.
    /// - Throws: when there is no such operation, or the database cannot be read.
    public func result(of operation: OperationID) async throws(ControlError) -> OperationReport {
        for await event in try await follow(operation) {
            if case .result(let report) = event { return report }
        }
        // Only a watcher that is itself cancelled sees the stream end without a result.
        throw ControlError(code: "cancelled", message: "no longer waiting for operation \(operation)", exitCode: 130)
    }

    /// What happens in an operation, from its beginning, its result last. Of one that is over: only the result.
    /// - Throws: when there is no such operation, or the database cannot be read.
    public func follow(_ operation: OperationID) async throws(ControlError) -> AsyncStream<OperationEvent> {
        if let live = state.withLock({ $0.live[operation] }) { return live.follow() }
        let record = try await recorded(operation)
        let (stream, continuation) = AsyncStream<OperationEvent>.makeStream()
        if let report = record.report, record.state.phase == .finished {
            continuation.yield(.result(report))
        } else {
            continuation.yield(.result(record.report ?? record.report(.unknown, reasons: [.unresolved(operation)])))
        }
        continuation.finish()
        return stream
    }

    /// One operation.
    public func operation(_ id: OperationID) async throws(ControlError) -> OperationDetail {
        OperationDetail(try await recorded(id))
    }

    /// The last operations, newest first.
    /// - Parameters:
    ///   - simulation: nil for those of all.
    ///   - before: only those behind this one; nil: from the newest on.
    /// - Throws: when there is no such operation, or the database cannot be read.
    public func operations(
        of simulation: String?,
        before: OperationID? = nil,
        limit: Int = 50
    ) async throws(ControlError) -> [OperationDetail] {
        if let before { _ = try await recorded(before) }
        return try await reading { () throws(StoreError) in
            try await self.store.operations(of: simulation, before: before, limit: limit).map { OperationDetail($0) }
        }
    }

    /// Tells the decision of an operation whose outcome is unknown once more to its hypervisors; of one without a decision,
    /// decides as ``recover()`` does.
    /// - Parameter decision: somebody's, for one without: a host that does not answer is not waited for then.
    /// - Throws: `decision-impossible` when it is decided otherwise, or nobody can know whether all was saved.
    public func settle(
        _ id: OperationID,
        as decision: OperationState.Decision? = nil
    ) async throws(ControlError) -> OperationReport {
        let simulation = try await recorded(id).simulation
        try await claimInTurn(simulation, .settling(id))
        defer { release(simulation) }
        // Read only now: until it was claimed, the operation may have decided and ended by itself.
        let record = try await recorded(id)
        if let report = record.report, record.state.phase == .finished { return report }
        let undecided = await undecidedOperations()
        if let decision { try record.allows(decision, undecided: undecided.byHost) }
        return await settle(record, undecided: undecided, as: decision)
    }

    /// Calls off what is under way and waits until it has ended: of a process that ends, so that nothing is left half done.
    /// - Returns: how many operations that were.
    public func windDown() async -> Int {
        // What is due stays so for the next process.
        endAllTriggers()
        await endHookRuns()
        let live = state.withLock { $0.live }
        for operation in live.values { operation.callOff.call() }
        await drain()
        // RAM that is in memory only is gone when the host ends next.
        await endSealing()
        // A suspend that is part of a rewind is no operation of its own to whoever asked for it.
        return Set(live.values.map(\.id)).count
    }

    /// Settles an operation again and again until its outcome is known: whoever asked for it may have gone, and its machines stand
    /// still. Ends with this instance.
    func settleLater(_ id: OperationID) {
        let options = options
        guard state.withLock({ $0.settling.insert(id).inserted }) else { return }
        Task { [weak self] in
            defer { self?.state.withLock { _ = $0.settling.remove(id) } }
            var pause = options.settlePause
            while true {
                try? await Task.sleep(for: pause.duration)
                guard let self else { return }
                // Busy: somebody else is at it, or has ended the machines.
                do throws(ControlError) {
                    guard try await self.settle(id).outcome == .unknown else { return }
                } catch {
                    // It was never recorded.
                    if error.isNotFound { return }
                }
                pause = min(pause + pause, options.longestSettlePause)
            }
        }
    }

    /// Waits until no operation is under way.
    public func drain() async {
        while true {
            let live = state.withLock { Array($0.live.values) }
            if live.isEmpty { return }
            for operation in live {
                for await _ in operation.follow() {}
            }
            await Task.yield()
        }
    }

    private func recorded(_ id: OperationID) async throws(ControlError) -> OperationRecord {
        let record = try await reading { () throws(StoreError) in try await self.store.operation(id) }
        guard let record else {
            throw ControlError(code: "operation-not-found", message: "there is no operation \(id)")
        }
        return record
    }

    /// Claims the simulation, plans, records, and starts the task that does the rest.
    /// - Parameter wanted: an id that no operation has; nil: any.
    func begin(
        _ simulation: String,
        _ verb: String,
        as wanted: OperationID?,
        _ plan: (OperationID) async throws(ControlError) -> Undertaking
    ) async throws(ControlError) -> OperationID {
        let id = wanted ?? OperationID.new(at: clock.now())
        try await claimInTurn(simulation, .operation(id))
        do throws(ControlError) {
            await refreshHosts()
            try await settleOlder(simulation, verb)
            let undertaking = try await plan(id)
            let live = try await enlist(undertaking)
            // Of the instance's own, so that it outlives the request that asked for it.
            Task { await self.carryOut(undertaking, live) }
        } catch {
            release(simulation)
            throw error
        }
        return id
    }

    /// Records an operation; from then on it can be followed and called off.
    func enlist(_ undertaking: Undertaking) async throws(ControlError) -> LiveOperation {
        do throws(StoreError) {
            try await store.apply(StoreChange(operation: undertaking.record))
        } catch {
            // A database that was lost in the middle may have it, and nobody would ever end it.
            if error.kind == .unreachable { settleLater(undertaking.record.id) }
            throw ControlError(code: "database-failed", message: "the operation cannot be recorded: \(error)")
        }
        let live = LiveOperation(id: undertaking.record.id, simulation: undertaking.record.simulation, changes: changes)
        state.withLock { $0.live[live.id] = live }
        return live
    }

    /// Does an operation, and releases its simulation.
    func carryOut(_ undertaking: Undertaking, _ live: LiveOperation) async {
        let report = await undertaking.run(live)
        release(undertaking.record.simulation)
        endTelling(live.id)
        live.publish(.result(report))
        if report.outcome == .unknown { settleLater(live.id) }
    }

    func undertake(_ plan: OperationPlan) -> Undertaking {
        Undertaking(record: plan.record) { live in
            var run = OperationRun(control: self, live: live, plan: plan)
            return await run.run()
        }
    }

    /// What was interrupted before is settled first, or nothing new begins.
    func settleOlder(_ simulation: String, _ verb: String) async throws(ControlError) {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        for operation in unfinished where operation.simulation == simulation {
            let report = await settle(operation, undecided: await undecidedOperations())
            guard report.outcome == .unknown else { continue }
            throw ControlError(
                code: "operation-unresolved",
                message: "\(operation.kind.rawValue) \(operation.id) of \(simulation) has no known outcome; "
                    + "'fermata resolve \(simulation)' decides it, 'fermata down \(simulation)' ends what is left, and then "
                    + "\(verb) is possible again",
                exitCode: 3
            )
        }
    }
}

extension Reason {
    static func unresolved(_ operation: OperationID) -> Reason {
        Reason(
            code: "operation-unresolved",
            message: "operation \(operation) was interrupted, and what became of it is not known yet"
        )
    }
}
