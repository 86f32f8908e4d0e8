import HostClock
import HypervisorAPI
import Logging
import Synchronization
import Time

/// Triggers from the beginning of a run to its end.
extension ControlInstance {
    /// Looks after the triggers of a simulation that runs, if it has any.
    func beginTriggers(of name: String) async {
        do throws(ControlError) {
            guard let record = try await record(ofSimulation: name), record.state == .running,
                record.spec.triggers?.isEmpty == false
            else { return endTriggers(of: name) }
            let stored = try await storedTriggers(of: name)
            var triggers = stored ?? TriggerRecord(of: record.spec, from: nil, at: clock.now())
            triggers.keeper = ownHost
            let book = TriggerBook(record.spec, triggers)
            let watch = newWatch(book)
            state.withLock { $0.triggers.updateValue(watch, forKey: name) }?.end()
            await takeUp(watch)
            watch.look(lookingTask(for: watch, followers(for: watch, record)))
            actOnDue(watch)
        } catch {
            logger.error("triggers are not looked after", metadata: ["simulation": "\(name)", "reason": "\(error)"])
        }
    }

    /// Of all simulations that run and that nobody looks after; not those of others with the same database.
    func takeUpTriggers(_ peers: Peers) async throws(ControlError) {
        let records = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let known = Set(state.withLock { $0.triggers.keys })
        for record in records where record.state == .running && !known.contains(record.name) {
            guard record.spec.triggers?.isEmpty == false, try await isToKeep(record, peers) else { continue }
            await beginTriggers(of: record.name)
        }
    }

    /// Whether this instance is to look after a simulation. Of one that is on no control instance's own host any of them can; the first that
    /// writes down that it does.
    private func isToKeep(_ record: SimulationRecord, _ peers: Peers) async throws(ControlError) -> Bool {
        let hosts = Set(record.machines.map(\.host))
        guard peers.hosts.isDisjoint(with: hosts) else { return false }
        guard store.isShared, !hosts.contains(ownHost) else { return true }
        guard hosts.allSatisfy({ hypervisor(of: $0) != nil }), try await isFree(record, peers) else { return false }
        do throws(ControlError) {
            return try await claiming(record.name, for: "triggers") { () throws(ControlError) in
                guard try await isFree(record, peers) else { return false }
                var triggers =
                    try await storedTriggers(of: record.name)
                    ?? TriggerRecord(of: record.spec, from: nil, at: clock.now())
                triggers.keeper = ownHost
                try await writing(StoreChange(triggers: triggers))
                return true
            }
        } catch {
            // Whoever has it begins its triggers itself.
            guard error.isDrivenElsewhere || error.reasons.contains(where: { $0.code == "busy" }) else { throw error }
            return false
        }
    }

    private func isFree(_ record: SimulationRecord, _ peers: Peers) async throws(ControlError) -> Bool {
        let keeper = try await storedTriggers(of: record.name)?.keeper
        return keeper.map { $0 == ownHost || !peers.live.contains($0) } ?? true
    }

    /// Another control instance has suspended, resumed or taken up a simulation: it looks after its triggers from then on.
    func giveUpTriggersKeptElsewhere() async {
        for name in state.withLock({ Array($0.triggers.keys) }) {
            guard let record = try? await store.simulation(name),
                let keeper = try? await store.triggers(of: name)?.keeper,
                keeper != ownHost || record.state != .running
            else { continue }
            endTriggers(of: name)
        }
    }

    /// What is due will be done when it runs again.
    func endTriggers(of name: String) {
        state.withLock { $0.triggers.removeValue(forKey: name) }?.end()
    }

    /// - Parameter problem: why what was due is not done any more.
    func endTriggers(of name: String, because problem: String) async {
        guard let watch = state.withLock({ $0.triggers.removeValue(forKey: name) }) else { return }
        await change(watch) { book in for index in book.due { book.end(index, problem) } }
        watch.end()
    }

    func endAllTriggers() {
        let names = state.withLock { Array($0.triggers.keys) }
        for name in names { endTriggers(of: name) }
    }

    /// What an operation, which is over, means for the triggers of its simulation.
    /// - Parameter committed: whether it was done, or will be.
    func followTriggers(_ record: OperationRecord, _ report: OperationReport, committed: Bool) async {
        guard record.kind.saves else {
            // One whose decision is told once more runs already.
            if committed, state.withLock({ $0.triggers[record.simulation] }) == nil {
                await beginTriggers(of: record.simulation)
            }
            return
        }
        let present = state.withLock { $0.triggers[record.simulation] }
        var watch = present
        if watch == nil { watch = await lastWatch(of: record) }
        guard let watch else { return }
        let stop = report.machines.compactMap(\.stoppedAt).max() ?? record.state.instant
        let next = report.machines.compactMap(\.resumedAt).max() ?? clock.now()
        let verdict = committed ? .ended(nil) : report.verdict
        await change(watch) { book in
            // What was rolled back has stood still, too: rather too much of it is left out than too little.
            if let stop, stop < next { book.pause(from: stop, to: next) }
            switch verdict {
            case .ended(let problem): book.end(record.id, problem)
            case .cancelled(let problem): book.end(record.id, problem)
            case .interrupted: book.postpone(record.id)
            // One that came too late is taken again by whoever began it; of one that is unknown more will be known.
            case .missed, .unknown: break
            }
        }
        guard present != nil else { return }
        if verdict == .interrupted { actOnDue(watch) }
        if committed, record.kind == .suspend { endTriggers(of: record.simulation) }
    }

    /// What a run begins with that an operation begins; nil: its simulation has no triggers.
    /// - Parameter instant: when its machines went on.
    func firstTriggers(of record: OperationRecord, at instant: HostInstant?) -> TriggerRecord? {
        let target = record.target
        guard !record.kind.saves, target.spec.triggers?.isEmpty == false else { return nil }
        var saved: SavedTriggers?
        if record.kind == .resume {
            let place =
                record.checkpoint.map { checkpointSet.place(of: $0, simulation: record.simulation) }
                ?? target.origin.map { checkpointSet.place(of: $0.checkpoint, simulation: $0.simulation) }
            saved = place.flatMap { try? checkpointSet.load($0) }?.triggers
        }
        return TriggerRecord(of: target.spec, from: saved, at: instant ?? clock.now(), keeper: ownHost)
    }

    /// What a checkpoint keeps of the triggers of its simulation.
    func savedTriggers(_ record: OperationRecord, _ reports: [HypervisorReport]) async -> SavedTriggers? {
        var book = state.withLock { $0.triggers[record.simulation] }?.book
        // Another control instance looks after them.
        if book == nil, store.isShared, record.target.spec.triggers?.isEmpty == false {
            let stored = try? await storedTriggers(of: record.simulation)
            book = stored.map { TriggerBook(record.target.spec, $0) }
        }
        guard let book else { return nil }
        let machines = reports.flatMap(\.machines)
        let stop = machines.compactMap(\.happenedAt).max() ?? clock.now()
        let next = record.kind == .suspend ? nil : machines.compactMap(\.continuedAt).max()
        return book.saved(at: stop, goingOn: next)
    }

    /// As they are now, or were when it last ran.
    func triggers(of record: SimulationRecord) async throws(ControlError) -> [TriggerReport]? {
        guard let specs = record.spec.triggers, !specs.isEmpty else { return nil }
        var states = state.withLock { $0.triggers[record.name] }?.book.states
        if states == nil { states = try await storedTriggers(of: record.name)?.states }
        let live = state.withLock { Set($0.live.keys) }
        states = states?.map { $0.shown(besides: live) }
        return specs.enumerated().map { index, spec in
            TriggerReport(spec, states.flatMap { index < $0.count ? $0[index] : nil } ?? TriggerState())
        }
    }

    // MARK: -

    /// For an operation that is settled when nobody looks after its simulation: nil: no trigger waits to hear how it ended.
    private func lastWatch(of record: OperationRecord) async -> TriggerWatch? {
        guard record.trigger != nil, let stored = try? await storedTriggers(of: record.simulation),
            stored.states.contains(where: { $0.phase == .begun && $0.operation == record.id })
        else { return nil }
        return newWatch(TriggerBook(record.target.spec, stored))
    }

    private func newWatch(_ book: TriggerBook) -> TriggerWatch {
        let logger = logger
        return TriggerWatch(book, store) { error in
            logger.error("the states of triggers cannot be recorded", metadata: ["reason": "\(error)"])
        }
    }

    private func storedTriggers(of name: String) async throws(ControlError) -> TriggerRecord? {
        try await reading { () throws(StoreError) in try await self.store.triggers(of: name) }
    }
}
