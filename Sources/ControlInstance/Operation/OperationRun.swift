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
    var mayBeCommitted = false

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
        await control.followTriggers(record, report, committed: record.state.decision == .commit)
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
        switch await recordReports() {
        case .success(let checkpoints): return await decideCommit(checkpoints)
        case .failure(let failure): return .undo(.failed, failure.reasons, plan.parts)
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
                "reasons": "\(report.reasons)", "trigger": "\(report.trigger ?? "-")",
            ]
        )
    }

    private func watchStages() -> Task<Void, Never> {
        let parts = plan.parts
        let live = live
        let operation = record.id
        let tellsMachines = parts.map(\.machines.count).reduce(0, +) <= options.mostMachinesTold
        return Task {
            await withDiscardingTaskGroup { group in
                for part in parts {
                    group.addTask {
                        for await stage in await part.hypervisor.stages(of: operation)
                        where tellsMachines || stage.machine == nil {
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
