import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// To be called once, before anything else: finishes or undoes what an earlier instance left under way, clears away
    /// checkpoints that never became whole, and takes into the database those on disk that it does not know.
    public func recover() async -> RecoveryReport {
        var report = RecoveryReport()
        await connectHosts(&report)
        let undecided = await undecidedOperations()
        for host in hypervisors.map(\.host) where undecided.byHost[host] == nil {
            report.problems.append(.noAnswer(host, options.answerTimeout))
        }
        do throws(ControlError) {
            let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
            let peers = try await peers()
            let (reports, problems) = await settleFound(unfinished, undecided: undecided, peers)
            report.operations = reports.sorted { $0.started < $1.started }
            report.problems += problems
            for operation in report.operations where operation.outcome == .unknown { settleLater(operation.operation) }
            recoverLeases(&report)
            report.problems += await settleStrangers(undecided.byHost, known: unfinished.map(\.id), peers)
            try await alignSimulations(&report, peers)
            try await takeUpTriggers(peers)
            try await alignCheckpoints(&report)
            try await sealAll(&report)
            try await alignAnnotations(&report)
        } catch {
            report.problems += error.reasons
        }
        // Gigabytes, maybe: last, and no reason to leave anything else undone.
        do throws(ControlError) {
            try removeExports()
        } catch {
            report.problems += error.reasons
        }
        watchPeers()
        return report
    }

    /// Asks all hosts at once.
    func undecidedOperations() async -> UndecidedAnswers {
        var answers = UndecidedAnswers(asked: clock.now())
        await withTaskGroup(of: (String, [UndecidedOperation]?).self) { group in
            for hypervisor in hypervisors {
                group.addTask {
                    let answer = try? await self.ask(hypervisor) { hypervisor throws(HypervisorError) in
                        try await hypervisor.undecided()
                    }
                    return (hypervisor.host, answer)
                }
            }
            for await (host, answer) in group { answers.byHost[host] = answer }
        }
        return answers
    }

    /// Asks again, behind the instant of what is armed, where hosts that said they had not begun may have since.
    private func fresh(_ undecided: UndecidedAnswers, for record: OperationRecord) async -> UndecidedAnswers {
        guard !record.kind.saves, record.state.phase == .armed, let instant = record.state.instant,
            !undecided.runsEverywhere(record),
            undecided.areStale(for: instant, now: clock.now(), margin: options.armedMargin)
        else { return undecided }
        try? await Task.sleep(for: (instant + options.armedMargin - clock.now()).duration)
        return await undecidedOperations()
    }

    /// Finishes an operation that has no task of its own (any more): repeats its decision, or decides.
    ///
    /// Without a recorded decision nobody was ever told to commit, so a rollback is right. Only machines that were started or
    /// loaded and that run everywhere already stay: to end them would lose what they did since, and nothing is gained.
    /// - Parameter wanted: what somebody decided who knows more.
    func settle(
        _ old: OperationRecord,
        undecided: UndecidedAnswers,
        as wanted: OperationState.Decision? = nil
    ) async -> OperationReport {
        var record = old
        do throws(ControlError) {
            // What another one's own host did of it only that one can ask.
            let elsewhere = try await peers().hosts.intersection(old.hosts)
            guard elsewhere.isEmpty else {
                return old.report(.unknown, reasons: [.elsewhere(old.simulation, elsewhere), .unresolved(old.id)])
            }
        } catch {
            return old.report(.unknown, reasons: error.reasons + [.unresolved(old.id)])
        }
        let reason = Reason(
            code: "interrupted",
            message: "the control instance ended while \(record.kind.rawValue) \(record.id) was under way"
        )
        if record.state.decision == nil {
            let undecided = wanted == nil ? await fresh(undecided, for: record) : undecided
            let runsEverywhere = undecided.runsEverywhere(record)
            // Machines that run everywhere must not end because one host does not answer yet. Meanwhile nothing stands still.
            let silent = record.hosts.filter { undecided.byHost[$0] == nil && hypervisor(of: $0) != nil }
            if wanted == nil, !record.kind.saves, record.state.phase == .armed, !silent.isEmpty {
                return record.report(
                    .unknown,
                    reasons: [.unresolved(record.id)] + silent.map { .noAnswer($0, options.answerTimeout) }
                )
            }
            let keep =
                wanted.map { $0 == .commit }
                ?? (!record.kind.saves && (record.state.phase == .happened || runsEverywhere))
            do {
                if keep, record.state.phase == .armed { try record.state.happen() }
                try record.state.decide(keep && record.state.phase == .happened ? .commit : .rollback)
                let simulation = record.state.decision == .commit ? record.target : nil
                let triggers = simulation.flatMap { _ in firstTriggers(of: record, at: record.state.instant) }
                try await store.apply(StoreChange(simulation: simulation, operation: record, triggers: triggers))
            } catch {
                return record.report(.unknown, reasons: [.unresolved(record.id), .notRecorded(error)])
            }
        }
        let decision = record.state.decision ?? .rollback
        var undone: CheckpointSet.Place?
        if decision == .rollback, record.kind.saves, let name = record.checkpoint {
            undone = checkpointSet.place(of: name, simulation: record.simulation)
        }
        if let undone { withdraw(undone) }
        var unsettled: [Reason] = record.hosts.filter { hypervisor(of: $0) == nil }.map { host in
            Reason(code: "host-not-found", message: "host '\(host)' took part in it and is not known here any more")
        }
        unsettled += await tell(
            decision,
            record.id,
            to: record.hosts.compactMap { hypervisor(of: $0) },
            after: record.state.instant,
            attempts: 1
        )
        if let undone, unsettled.isEmpty {
            await discard(undone, on: record.hosts)
            if checkpointSet.isPublished(undone) { unsettled = [.notWithdrawn(undone)] }
        }
        var report = record.report ?? record.report(.unknown)
        report.reasons.removeAll { $0.code == "operation-unresolved" }
        if wanted != nil, old.state.decision == nil { report.notes.append("an operator decided: \(decision.rawValue)") }
        guard unsettled.isEmpty else {
            report.reasons += unsettled + [.unresolved(record.id)]
            record.report = report
            try? await store.apply(StoreChange(operation: record))
            return report
        }
        report.outcome = decision == .commit ? .done : .failed
        report.exitCode = report.outcome.exitCode
        report.finished = clock.now()
        if decision == .commit {
            report.notes.append(reason.message + "; it was finished later")
        } else {
            if let kept = report.kept { report.reasons.append(.suspended(to: kept, record: record)) }
            report.reasons.append(reason)
        }
        do {
            try record.state.finish(report.outcome)
            record.finished = report.finished
            record.report = report
            try await store.apply(StoreChange(operation: record))
        } catch {
            report.notes.append(Reason.notRecorded(error).message)
        }
        await followTriggers(record, report, committed: decision == .commit)
        return report
    }

    /// Tells a decision to all, again and again to those that do not confirm it.
    /// - Parameter attempts: of one that is repeated by others: 1.
    /// - Parameter happening: what is under way may have to end before it can be rolled back, and it may be to begin only then.
    /// - Returns: why some have not confirmed in the end; empty when all have.
    func tell(
        _ decision: OperationState.Decision,
        _ operation: OperationID,
        to hypervisors: [any Hypervisor],
        after happening: HostInstant? = nil,
        attempts: Int? = nil
    ) async -> [Reason] {
        var waiting = hypervisors
        var reasons: [Reason] = []
        var pause = options.decisionPause
        for attempt in 0..<max(1, attempts ?? options.decisionAttempts) where !waiting.isEmpty {
            if attempt > 0 {
                try? await Task.sleep(for: pause.duration)
                pause = pause + pause
            }
            // The same for all, so that they go on together.
            let instant = clock.now() + options.rollbackLead
            var limit = options.decisionTimeout
            if decision == .rollback, let happening {
                limit = max(limit, max(.zero, happening - clock.now()) + options.reportTimeout)
            }
            let answers = await withTaskGroup(of: (String, [Reason]).self) { [limit] group in
                for hypervisor in waiting {
                    group.addTask {
                        let failure = await within(limit) { () -> [Reason] in
                            do throws(HypervisorError) {
                                switch decision {
                                case .commit: try await hypervisor.commit(operation)
                                case .rollback: try await hypervisor.rollback(operation, continueAt: instant)
                                }
                                return []
                            } catch {
                                return error.reasons.isEmpty ? [.noReason(hypervisor.host)] : error.reasons
                            }
                        }
                        return (hypervisor.host, failure ?? [.noAnswer(hypervisor.host, limit)])
                    }
                }
                return await group.reduce(into: [String: [Reason]]()) { $0[$1.0] = $1.1 }
            }
            // What a hypervisor does not know, it has finished or never begun.
            waiting = waiting.filter { hypervisor in
                (answers[hypervisor.host] ?? []).contains { $0.code != "operation-unknown" }
            }
            reasons = waiting.flatMap { answers[$0.host] ?? [] }
        }
        return reasons
    }
}

extension OperationRecord {
    /// - Parameter undecided: by host; somebody decides only for those that are not in it.
    /// - Throws: when somebody's decision cannot be this operation's.
    func allows(
        _ decision: OperationState.Decision,
        undecided: [String: [UndecidedOperation]]
    ) throws(ControlError) {
        func impossible(_ why: String) -> ControlError {
            ControlError(code: "decision-impossible", message: "\(kind.rawValue) \(id) \(why)", exitCode: 3)
        }
        if let decided = state.decision {
            guard decided == decision else {
                throw impossible("is decided: every host is told \(decided.rawValue) until it confirms")
            }
            return
        }
        guard decision == .commit else { return }
        guard !kind.saves else { throw impossible("can only be rolled back: nobody knows whether all was saved") }
        guard [.armed, .happened].contains(state.phase) else {
            throw impossible("was never armed: no machine runs by it")
        }
        let standing = hosts.filter { host in
            undecided[host].map { !$0.contains { $0.operation == id && $0.happened } } ?? false
        }
        guard state.phase == .happened || standing.isEmpty else {
            throw impossible("did not happen on host \(standing.joined(separator: ", ")): it can only be rolled back")
        }
    }
}
