import HostClock
import HypervisorAPI
import Time

/// The second phase: what is decided becomes durable, and then everybody is told.
extension OperationRun {
    /// What all report becomes durable, and beside that the manifest of what is saved: of many machines both are large.
    /// - Returns: the checkpoint that is published then, if the operation makes one.
    mutating func recordReports() async -> Result<[CheckpointRecord], ControlError> {
        do {
            try record.state.happen()
            record.report = report(.unknown, [.unresolved(record.id)])
            let run = self
            async let publishing = run.publishManifest()
            try await recordInTime(StoreChange(operation: record))
            announce()
            return await publishing
        } catch {
            return .failure(ControlError([.notRecorded(error)]))
        }
    }

    private func publishManifest() async -> Result<[CheckpointRecord], ControlError> {
        guard let place = plan.destination else { return .success([]) }
        let manifest = await manifest(at: place)
        let problems = CheckpointSet.problems(of: manifest)
        do throws(ControlError) {
            guard problems.isEmpty else {
                throw ControlError(code: "report-incomplete", message: problems.joined(separator: "; "))
            }
            try control.checkpointSet.publish(manifest, plan.annotations, at: place)
        } catch {
            return .failure(error)
        }
        return .success([CheckpointRecord(manifest, plan.annotations)])
    }

    /// - Parameter checkpoints: what was published.
    mutating func decideCommit(_ checkpoints: [CheckpointRecord]) async -> Ending {
        guard !live.callOff.isCalled else { return .undo(.cancelled, [.cancelled], plan.parts) }
        var decided = record
        do {
            try decided.state.decide(.commit)
            // The report is recorded already.
            var change = decided
            change.report = nil
            let stamps = reports.flatMap(\.machines).compactMap(\.happenedAt)
            try await recordInTime(
                StoreChange(
                    simulation: record.target,
                    operation: change,
                    checkpoints: checkpoints,
                    triggers: control.firstTriggers(of: record, at: stamps.max())
                )
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

    mutating func commit() async -> OperationReport {
        let unsettled = await control.tell(.commit, record.id, to: plan.parts.map(\.hypervisor))
        return await conclude(.done, [], unsettled)
    }

    mutating func rollBack(
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

    mutating func close(_ outcome: OperationOutcome, _ reasons: [Reason]) async -> OperationReport {
        if let place = plan.destination { try? control.checkpointSet.remove(place) }
        return await conclude(outcome, reasons, [])
    }

    /// - Parameter unsettled: what kept the decision from being carried out everywhere.
    mutating func conclude(
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

    /// Records what others wait for with their machines. A database that cannot be reached is waited for: it may just be starting anew,
    /// and what was saved would be undone without need.
    func recordInTime(_ change: StoreChange) async throws(StoreError) {
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
}
