public import HypervisorAPI
import HostClock
import Logging
import Time

/// How operations end that were executed: by whoever decides, after a restart, or with their machines.
extension LocalHypervisor {
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

    func settle(
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
    func armed(_ id: OperationID) async {
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

    /// What a daemon before this one prepared can be executed by nobody any more: its handle is gone. Nobody needs to ask for it
    /// either, so it is given back unasked, again and again until that succeeds; so is what another daemon began to give back.
    func giveBackLater(_ id: OperationID) {
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
}
