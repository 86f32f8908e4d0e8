import HostClock
import HypervisorAPI
import Synchronization
import Time

/// Ends what runs, saved or not, and then lets the simulation go on from an older checkpoint.
///
/// Both are operations as any other, each undone or finished by itself after a crash. Between them the simulation is suspended: what
/// was saved is never at risk.
struct Rewind: Sendable {
    enum First: Sendable {
        case nothing
        case suspend(OperationPlan)
        /// - Parameter at: nil: at once.
        case end(SimulationRecord, at: HostInstant?)
    }

    let first: First
    let resume: OperationPlan

    func run(_ control: ControlInstance, _ live: LiveOperation) async -> OperationReport {
        var run = OperationRun(control: control, live: live, plan: resume)
        switch first {
        case .nothing: break
        case .suspend(let plan):
            let report = await suspend(plan, control, live)
            guard report.outcome == .done, let kept = plan.record.checkpoint else {
                return await run.abandon(report.outcome, report.reasons)
            }
            await run.follow(keeping: kept)
        case .end(let simulation, let instant):
            guard await waits(until: instant, control, live) else { return await run.abandon(.cancelled, [.cancelled]) }
            do throws(ControlError) {
                try await control.takeDown(simulation)
            } catch {
                return await run.abandon(.failed, error.reasons)
            }
            run.lasting = .ended(record: resume.record)
        }
        return await run.run()
    }

    private func suspend(
        _ plan: OperationPlan,
        _ control: ControlInstance,
        _ live: LiveOperation
    ) async -> OperationReport {
        let id = plan.record.id
        do throws(StoreError) {
            try await control.store.apply(StoreChange(operation: plan.record))
        } catch {
            return plan.record.report(.failed, reasons: [.notRecorded(error)])
        }
        // Whoever cancels or follows it means the whole.
        control.state.withLock { $0.live[id] = live }
        var run = OperationRun(control: control, live: live, plan: plan)
        let report = await run.run()
        control.state.withLock { _ = $0.live.removeValue(forKey: id) }
        if report.outcome == .unknown { control.settleLater(id) }
        return report
    }

    /// - Returns: false when it was called off meanwhile.
    private func waits(until instant: HostInstant?, _ control: ControlInstance, _ live: LiveOperation) async -> Bool {
        while let instant, !live.callOff.isCalled {
            let rest = instant - control.clock.now()
            guard rest > .zero else { break }
            try? await Task.sleep(for: min(rest, .milliseconds(50)).duration)
        }
        return !live.callOff.isCalled
    }
}

extension Reason {
    /// A rewind kept what ran and then did not come to its checkpoint.
    static func suspended(to kept: String, record: OperationRecord) -> Reason {
        let name = record.simulation
        let goal = record.checkpoint.map { "\(name)@\($0)" } ?? name
        return Reason(
            code: "rewind-incomplete",
            message: "\(name) is suspended to \(name)@\(kept) and did not go on from \(goal): "
                + "'fermata resume \(name)' goes on as it was, 'fermata rewind \(goal)' tries again"
        )
    }

    /// A rewind ended what ran, as it was told to, and then did not come to its checkpoint.
    static func ended(record: OperationRecord) -> Reason {
        let goal = record.checkpoint.map { "\(record.simulation)@\($0)" } ?? record.simulation
        return Reason(
            code: "rewind-incomplete",
            message: "the machines of \(record.simulation) were ended without being saved, as asked, "
                + "and it did not go on from \(goal): 'fermata resume \(goal)' tries again"
        )
    }
}
