import HostClock
import HypervisorAPI
import Logging
import Time

/// Carries one operation through its two phases. All that it decides is durable before anybody is told.
struct OperationRun: Sendable {
    /// How far it came, and so what has to be undone.
    enum Ending {
        case done
        /// Nobody was armed, and no handle is left.
        case nothing(OperationOutcome, [Reason])
        /// Those hypervisors have to be told to roll back.
        case undo(OperationOutcome, [Reason], [OperationPlan.Part])
    }

    let control: ControlInstance
    let live: LiveOperation
    let plan: OperationPlan
    var record: OperationRecord
    var reports: [HypervisorReport] = []
    /// Of a rewind: the checkpoint that what ran before was saved to.
    private(set) var kept: String?
    /// What was done before this operation began, and stays done when it fails.
    var lasting: Reason?
    var hookReports: [HookReport] = []
    /// What people should know of them.
    var hookNotes: [String] = []
    private var watch: Task<Void, Never>?
    /// Machines are about to go on with the checkpoint's own RAM.
    private var isTaking = false
    /// The database may have a commit, although it said that it has none.
    private var mayBeCommitted = false

    init(control: ControlInstance, live: LiveOperation, plan: OperationPlan) {
        self.control = control
        self.live = live
        self.plan = plan
        record = plan.record
    }

    var options: ControlOptions { control.options }

    mutating func run() async -> OperationReport {
        announce()
        let refusals = await runHooksBefore()
        let ending = refusals.isEmpty ? await takeAndCarryOut() : .nothing(.refused, refusals)
        var report =
            switch ending {
            case .done: await commit()
            case .nothing(let outcome, let reasons): await close(outcome, reasons)
            case .undo(let outcome, let reasons, let parts): await rollBack(outcome, reasons, parts)
            }
        if isTaking, let place = plan.source { control.endConsuming(place) }
        watch?.cancel()
        announce()
        report = await runHooksAfter(report)
        log(report)
        control.count(report)
        if let place = plan.destination { control.sealLater(place) }
        return report
    }

    /// What had to be done first was done: it is recorded, so that a recovery can tell it.
    mutating func follow(keeping checkpoint: String) async {
        kept = checkpoint
        lasting = .suspended(to: checkpoint, record: record)
        record.report = report(.unknown, [.unresolved(record.id)])
        // Without a record only the sentence is missing after a crash.
        try? await control.store.apply(StoreChange(operation: record))
    }

    /// What had to be done first was not: this is not begun.
    mutating func abandon(_ outcome: OperationOutcome, _ reasons: [Reason]) async -> OperationReport {
        outcome == .unknown ? await conclude(.unknown, [], reasons) : await close(outcome, reasons)
    }

    // MARK: - First phase

    private mutating func takeAndCarryOut() async -> Ending {
        guard let place = plan.source else { return await carryOut() }
        do throws(ControlError) {
            try await control.beginConsuming(place)
        } catch {
            return .nothing(.refused, error.reasons)
        }
        isTaking = true
        return await carryOut()
    }

    private mutating func carryOut() async -> Ending {
        // It may have waited for its turn.
        guard !live.callOff.isCalled else { return .nothing(.cancelled, [.cancelled]) }
        if let place = plan.destination {
            do throws(ControlError) {
                try control.checkpointSet.makeParent(of: place)
            } catch {
                return .nothing(.failed, error.reasons)
            }
        }
        var prepared: [(OperationPlan.Part, Handle)] = []
        switch await prepareAll() {
        case .success(let handles): prepared = handles
        case .failure(let refusal): return .nothing(refusal.outcome, refusal.reasons)
        }
        // Hypervisors know the operation only now; they tell its earlier stages too.
        watch = watchStages()
        let latest = prepared.map(\.1.earliest).max() ?? control.clock.now()
        let isOwn = plan.parts.allSatisfy { $0.hypervisor.host == control.ownHost }
        let instant = plan.instant ?? latest + (isOwn ? options.ownAsapMargin : options.asapMargin)
        if let expiry = prepared.map(\.1.expires).min(), instant > expiry {
            await cancel(prepared)
            let reason = Reason(
                code: "no-common-instant",
                message: "all could be ready by \(instant), but a host's promise ends at \(expiry) already"
            )
            return .nothing(.refused, [reason])
        }
        do {
            try record.state.prepare(for: instant)
            announce()
            try record.state.arm()
            try await control.store.apply(StoreChange(operation: record))
        } catch {
            await cancel(prepared)
            return .undo(.failed, [.notRecorded(error)], [])
        }
        announce()
        if let ending = await executeAll(prepared, at: instant) { return ending }
        if let ending = await collectReports(after: instant) { return ending }
        do {
            try record.state.happen()
            try await recordInTime(StoreChange(operation: record))
        } catch {
            return .undo(.failed, [.notRecorded(error)], plan.parts)
        }
        announce()
        return await decideCommit()
    }

    /// Arms all. Whoever is armed acts alone from then on.
    /// - Returns: nil when all are.
    private func executeAll(_ prepared: [(OperationPlan.Part, Handle)], at instant: HostInstant) async -> Ending? {
        enum Answer { case armed, refused([Reason]), silent }
        let limit = options.answerTimeout
        let answers = await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, (part, handle)) in prepared.enumerated() {
                group.addTask {
                    // Arming a resume loads what could not be loaded before; the handle says how long that takes.
                    let required = max(.zero, handle.earliest - control.clock.now())
                    let answer = await within(limit + required) { () -> Answer in
                        do throws(HypervisorError) {
                            try await part.hypervisor.execute(handle, at: instant)
                            return .armed
                        } catch {
                            return .refused(error.reasons)
                        }
                    }
                    return (index, answer ?? .silent)
                }
            }
            return await group.reduce(into: [Int: Answer]()) { $0[$1.0] = $1.1 }
        }
        var reasons: [Reason] = []
        var unarmed: [(OperationPlan.Part, Handle)] = []
        for (index, item) in prepared.enumerated() {
            switch answers[index] ?? .silent {
            case .armed: continue
            case .refused(let why): reasons += why
            case .silent: reasons.append(.noAnswer(item.0.hypervisor.host, limit))
            }
            unarmed.append(item)
        }
        guard !reasons.isEmpty else { return nil }
        await cancel(unarmed)
        // A promise ends behind the instant that it is for.
        let isLate = ["instant-too-near", "instant-past", "instant-missed", "handle-expired"]
        let late = reasons.allSatisfy { isLate.contains($0.code) }
        // All: one that is silent may be armed, and so may one that refused, when the call came to it twice.
        return .undo(
            OperationOutcome(failureWith: reasons, otherwise: late ? .missed : .failed),
            reasons,
            prepared.map(\.0)
        )
    }

    /// The manifest of a suspend becomes durable, then the decision.
    private mutating func decideCommit() async -> Ending {
        var checkpoints: [CheckpointRecord] = []
        if let place = plan.destination {
            let manifest = manifest(at: place)
            let problems = CheckpointSet.problems(of: manifest)
            do throws(ControlError) {
                guard problems.isEmpty else {
                    throw ControlError(code: "report-incomplete", message: problems.joined(separator: "; "))
                }
                try control.checkpointSet.publish(manifest, plan.annotations, at: place)
            } catch {
                return .undo(.failed, error.reasons, plan.parts)
            }
            checkpoints = [CheckpointRecord(manifest, plan.annotations)]
        }
        guard !live.callOff.isCalled else { return .undo(.cancelled, [.cancelled], plan.parts) }
        var decided = record
        do {
            try decided.state.decide(.commit)
            decided.report = report(.unknown, [.unresolved(record.id)])
            try await recordInTime(
                StoreChange(simulation: record.target, operation: decided, checkpoints: checkpoints)
            )
        } catch {
            // A database that failed in the middle may have it all the same; what it has is what a recovery will go by.
            let isCommitted = await isRecorded(.commit)
            mayBeCommitted = isCommitted == nil
            guard isCommitted == true else { return .undo(.failed, [.notRecorded(error)], plan.parts) }
        }
        record = decided
        announce()
        return .done
    }

    /// - Returns: nil when the database does not tell.
    private func isRecorded(_ decision: OperationState.Decision) async -> Bool? {
        do throws(StoreError) {
            return try await control.store.operation(record.id)?.state.decision == decision
        } catch {
            return nil
        }
    }

    // MARK: - Second phase

    private mutating func commit() async -> OperationReport {
        let unsettled = await control.tell(.commit, record.id, to: plan.parts.map(\.hypervisor))
        return await conclude(.done, [], unsettled)
    }

    private mutating func rollBack(
        _ outcome: OperationOutcome,
        _ reasons: [Reason],
        _ parts: [OperationPlan.Part]
    ) async -> OperationReport {
        let undecided = record
        try? record.state.decide(.rollback)
        record.report = report(.unknown, reasons + [.unresolved(record.id)])
        do throws(StoreError) {
            // What a recovery presumes anyway is not waited for while machines stand still.
            if record.kind.saves || mayBeCommitted || parts.isEmpty {
                try await control.store.apply(StoreChange(operation: record))
            } else {
                try await recordInTime(StoreChange(operation: record))
            }
        } catch {
            // Without a record a recovery presumes a rollback of what saves. Where it may presume or find something else, nobody is
            // told before it is recorded: the operation stays open, and is settled by what the database has once it can be read.
            if !parts.isEmpty, mayBeCommitted || !record.kind.saves {
                record = undecided
                return report(.unknown, reasons + [.notRecorded(error), .unresolved(record.id)])
            }
        }
        announce()
        if let place = plan.destination { control.withdraw(place) }
        var unsettled = await control.tell(
            .rollback,
            record.id,
            to: parts.map(\.hypervisor),
            after: record.state.instant
        )
        var leftovers: [Reason] = []
        if let place = plan.destination, unsettled.isEmpty {
            leftovers = await control.discard(place, on: plan.parts.map(\.hypervisor.host))
            if control.checkpointSet.isPublished(place) { unsettled = [.notWithdrawn(place)] }
        }
        return await conclude(outcome, reasons + leftovers, unsettled)
    }

    private mutating func close(_ outcome: OperationOutcome, _ reasons: [Reason]) async -> OperationReport {
        if let place = plan.destination { try? control.checkpointSet.remove(place) }
        return await conclude(outcome, reasons, [])
    }

    /// - Parameter unsettled: what kept the decision from being carried out everywhere.
    private mutating func conclude(
        _ outcome: OperationOutcome,
        _ reasons: [Reason],
        _ unsettled: [Reason]
    ) async -> OperationReport {
        var (outcome, reasons) = (outcome, reasons)
        if let lasting, outcome != .done {
            reasons.insert(lasting, at: 0)
            // A refusal says that nothing has happened.
            if outcome == .refused { outcome = .failed }
        }
        var final = report(outcome, reasons)
        final.finished = control.clock.now()
        if unsettled.isEmpty {
            try? record.state.finish(outcome)
            record.finished = final.finished
        } else {
            final = report(.unknown, reasons + unsettled)
        }
        record.report = final
        do throws(StoreError) {
            try await control.store.apply(StoreChange(operation: record))
        } catch {
            final.notes.append("the end of the operation could not be recorded and will be later: \(error)")
            control.settleLater(record.id)
        }
        return final
    }

    // MARK: - Recording

    /// Records what others wait for with their machines. A database that cannot be reached is waited for: it may just be starting anew,
    /// and what was saved would be undone without need.
    private func recordInTime(_ change: StoreChange) async throws(StoreError) {
        let end = control.clock.now() + options.databasePatience
        while true {
            do throws(StoreError) {
                return try await control.store.apply(change)
            } catch {
                guard error.kind == .unreachable, !live.callOff.isCalled, control.clock.now() < end else { throw error }
            }
            try? await Task.sleep(for: options.databasePause.duration)
        }
    }

    // MARK: - Telling

    func announce() { live.publish(.phase(record.id, record.state.phase, deadline: record.state.instant)) }

    private func log(_ report: OperationReport) {
        control.logger.log(
            level: report.outcome == .done ? .info : .warning,
            "operation ended",
            metadata: [
                "operation": "\(report.operation)", "kind": "\(report.kind.rawValue)",
                "simulation": "\(report.simulation)", "outcome": "\(report.outcome.rawValue)",
                "reasons": "\(report.reasons)",
            ]
        )
    }

    private func watchStages() -> Task<Void, Never> {
        let parts = plan.parts
        let live = live
        let operation = record.id
        return Task {
            await withDiscardingTaskGroup { group in
                for part in parts {
                    group.addTask {
                        for await stage in await part.hypervisor.stages(of: operation) {
                            live.publish(.stage(OperationReport.Stage(stage)))
                        }
                    }
                }
            }
        }
    }
}

extension Reason {
    static let cancelled = Reason(code: "cancelled", message: "the operation was called off")

    static func notRecorded(_ error: any Error) -> Reason {
        Reason(code: "database-failed", message: "the operation's state cannot be recorded: \(error)")
    }
}
