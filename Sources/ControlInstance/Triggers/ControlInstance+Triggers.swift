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
            let book = TriggerBook(record.spec, stored ?? TriggerRecord(of: record.spec, from: nil, at: clock.now()))
            let logger = logger
            let watch = TriggerWatch(book, store) { error in
                logger.error("the states of triggers cannot be recorded", metadata: ["reason": "\(error)"])
            }
            state.withLock { $0.triggers.updateValue(watch, forKey: name) }?.end()
            await takeUp(watch)
            watch.look(lookingTask(for: watch, at: places(of: watch, record)))
            actOnDue(watch)
        } catch {
            logger.error("triggers are not looked after", metadata: ["simulation": "\(name)", "reason": "\(error)"])
        }
    }

    /// Of all simulations that run when this instance is started; not those of others with the same database.
    func takeUpTriggers(_ peers: Peers) async throws(ControlError) {
        let records = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let known = Set(state.withLock { $0.triggers.keys })
        for record in records where record.state == .running && !known.contains(record.name) {
            let hosts = Set(record.machines.map(\.host))
            guard peers.hosts.isDisjoint(with: hosts), !store.isShared || hosts.contains(ownHost) else { continue }
            await beginTriggers(of: record.name)
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
        guard let watch = state.withLock({ $0.triggers[record.simulation] }) else { return }
        let stop = report.machines.compactMap(\.stoppedAt).max() ?? record.state.instant
        let next = report.machines.compactMap(\.resumedAt).max() ?? clock.now()
        await change(watch) { book in
            // What was rolled back has stood still, too: rather too much of it is left out than too little.
            if let stop, stop < next { book.pause(from: stop, to: next) }
            // One that came too late is tried again.
            if report.outcome != .missed { book.end(record.id, report.problem) }
        }
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
        return TriggerRecord(of: target.spec, from: saved, at: instant ?? clock.now())
    }

    /// What a checkpoint keeps of the triggers of its simulation.
    func savedTriggers(_ record: OperationRecord, _ reports: [HypervisorReport]) -> SavedTriggers? {
        guard let watch = state.withLock({ $0.triggers[record.simulation] }) else { return nil }
        let machines = reports.flatMap(\.machines)
        let stop = machines.compactMap(\.happenedAt).max() ?? clock.now()
        let next = record.kind == .suspend ? nil : machines.compactMap(\.continuedAt).max()
        return watch.book.saved(at: stop, goingOn: next)
    }

    /// As they are now, or were when it last ran.
    func triggers(of record: SimulationRecord) async throws(ControlError) -> [TriggerReport]? {
        guard let specs = record.spec.triggers, !specs.isEmpty else { return nil }
        var states = state.withLock { $0.triggers[record.name] }?.book.states
        if states == nil { states = try await storedTriggers(of: record.name)?.states }
        return specs.enumerated().map { index, spec in
            TriggerReport(spec, states.flatMap { index < $0.count ? $0[index] : nil } ?? TriggerState())
        }
    }

    /// Changes the states of triggers, tells what is different, and records it.
    func change(_ watch: TriggerWatch, _ body: (inout TriggerBook) -> Void) async {
        let clock = watch.book.clock
        let changed = watch.change(body)
        guard !changed.isEmpty || watch.book.clock != clock else { return }
        tell(changed, of: watch)
        await watch.save()
    }

    // MARK: -

    private func storedTriggers(of name: String) async throws(ControlError) -> TriggerRecord? {
        try await reading { () throws(StoreError) in try await self.store.triggers(of: name) }
    }

    /// What was begun before a daemon ended is over by now, or was never begun.
    private func takeUp(_ watch: TriggerWatch) async {
        for (index, trigger) in watch.book.states.enumerated() where trigger.phase == .begun {
            guard let id = trigger.operation else {
                await change(watch) { $0.end(index, "the control instance ended while it ran") }
                continue
            }
            let record: OperationRecord?
            do throws(StoreError) {
                record = try await store.operation(id)
            } catch {
                // Rather not done again than done twice.
                logger.error(
                    "a trigger's operation cannot be read",
                    metadata: ["operation": "\(id)", "reason": "\(error)"]
                )
                continue
            }
            let report = record.map { $0.report ?? $0.report(.unknown, reasons: [.unresolved(id)]) }
            // What ended with the daemon begins anew, as what never began.
            let wasCut = report?.outcome == .cancelled || report?.reasons.contains { $0.code == "interrupted" } == true
            await change(watch) { book in
                if let report, !wasCut { book.end(index, report.problem) } else { book.postpone(index) }
            }
        }
    }

    /// Who can look at which machines. A trigger that is about another one cannot be met.
    private func places(
        of watch: TriggerWatch,
        _ record: SimulationRecord
    ) -> [(watcher: any MachineWatcher, machines: [String])] {
        let hosts = Dictionary(record.machines.map { ($0.name, $0.host) }, uniquingKeysWith: { first, _ in first })
        var machines: [String: Set<String>] = [:]
        for (index, trigger) in watch.book.specs.enumerated() {
            guard let machine = trigger.machine, watch.book.states[index].phase == .armed else { continue }
            let host = hosts[machine] ?? ownHost
            if hypervisor(of: host) is any MachineWatcher {
                machines[host, default: []].insert(machine)
            } else {
                tell(watch.change { $0.rule(out: index, Self.cannotWatch(machine, host)) }, of: watch)
            }
        }
        return machines.compactMap { host, machines in
            (hypervisor(of: host) as? any MachineWatcher).map { ($0, machines.sorted()) }
        }
    }

    private func lookingTask(
        for watch: TriggerWatch,
        at places: [(watcher: any MachineWatcher, machines: [String])]
    ) -> Task<Void, Never> {
        let name = watch.book.simulation
        let clock = clock
        return Task { [weak self] in
            await withDiscardingTaskGroup { group in
                for (watcher, machines) in places {
                    group.addTask { [weak self] in
                        await watcher.watch(machines, of: name) { [weak self] sign in
                            await self?.advance(watch, by: sign)
                        }
                    }
                }
                group.addTask { [weak self] in
                    while !Task.isCancelled, let rest = watch.book.rest(at: clock.now()) {
                        // A pause meanwhile makes it longer.
                        guard rest <= .zero else {
                            try? await Task.sleep(for: min(rest, .seconds(60)).duration)
                            continue
                        }
                        guard let self else { return }
                        await advance(watch) { $0.pass(to: clock.now()) }
                    }
                }
            }
        }
    }

    private func advance(_ watch: TriggerWatch, by sign: MachineSign) async {
        guard case .said(let bytes, _) = sign.what else { return await advance(watch) { $0.take(sign) } }
        let findings = await watch.listener.listen(to: bytes, for: watch.book.patterns(in: sign))
        await advance(watch) { $0.take(findings, at: sign.at) }
    }

    private func advance(_ watch: TriggerWatch, _ body: (inout TriggerBook) -> Void) async {
        await change(watch, body)
        actOnDue(watch)
    }

    private func tell(_ changed: [(Int, TriggerState)], of watch: TriggerWatch) {
        let book = watch.book
        for (index, state) in changed {
            let report = TriggerReport(book.specs[index], state)
            changes.tell(.trigger(book.simulation, report))
            logger.log(
                level: state.phase == .failed ? .warning : .info,
                "trigger",
                metadata: [
                    "simulation": "\(book.simulation)", "when": "\(report.when)", "what": "\(report.what)",
                    "phase": "\(state.phase.rawValue)", "operation": "\(state.operation?.text ?? "-")",
                    "problem": "\(state.problem ?? "-")",
                ]
            )
        }
    }

    static func cannotWatch(_ machine: String, _ host: String) -> String {
        "\(machine) runs on \(host), and what machines do there is not told from there"
    }
}

extension OperationReport {
    /// Why a trigger that began it has failed; nil: it has not.
    fileprivate var problem: String? {
        guard outcome != .done else { return nil }
        let why = reasons.map(\.description).joined(separator: "; ")
        return "operation \(operation) ended as \(outcome.rawValue)\(why.isEmpty ? "" : ": \(why)")"
    }
}
