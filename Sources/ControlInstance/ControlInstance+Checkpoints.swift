import HypervisorAPI
import Logging
import Time

extension ControlInstance {
    /// A simulation's checkpoints, oldest first; `parent` makes them a tree.
    /// - Parameter filter: nil: all.
    /// - Throws: when there is no such simulation.
    public func log(
        _ simulation: String,
        label filter: LabelFilter? = nil
    ) async throws(ControlError) -> [CheckpointSummary] {
        let record = try await record(ofSimulation: simulation)
        let checkpoints = try await reading { () throws(StoreError) in
            try await self.store.checkpoints(of: simulation)
        }
        // A simulation whose database was lost is still known by its checkpoints.
        if record == nil, checkpoints.isEmpty { throw Self.notFound(simulation: simulation) }
        return checkpoints.filter { filter?.admits($0.annotations) ?? true }.map {
            summary(of: $0, current: $0.name == record?.checkpoint)
        }
    }

    /// One checkpoint with its manifest.
    /// - Throws: when there is none, or its manifest is corrupt (exit code 6).
    public func show(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointDetail {
        let record = try await checkpointRecord(checkpoint, of: simulation)
        let current = try await self.record(ofSimulation: simulation)?.checkpoint
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        return CheckpointDetail(
            summary: summary(of: record, current: current == checkpoint),
            folder: place.final,
            manifest: try checkpointSet.load(place)
        )
    }

    /// Reads a whole checkpoint and compares it with its manifest.
    /// - Throws: only when there is none of that name; what is wrong with it is in the report.
    public func verify(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> VerifyReport {
        _ = try await checkpointRecord(checkpoint, of: simulation)
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        var reasons: [Reason] = []
        var complete = true
        do throws(ControlError) {
            if !isConsumed(place) { try await sealed(place) }
            let manifest = try checkpointSet.load(place)
            for (hypervisor, stored) in try stored(manifest, at: place.final) {
                reasons += try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.verify(stored)
                }
            }
        } catch {
            reasons += error.reasons
            complete = error.exitCode == 6
        }
        let exitCode = reasons.isEmpty ? 0 : complete ? 6 : 1
        return VerifyReport(simulation: simulation, checkpoint: checkpoint, reasons: reasons, exitCode: exitCode)
    }

    // MARK: - Records

    func checkpointRecord(_ name: String, of simulation: String) async throws(ControlError) -> CheckpointRecord {
        let record = try await reading { () throws(StoreError) in
            try await self.store.checkpoint(name, of: simulation)
        }
        guard let record else {
            throw ControlError(
                code: "checkpoint-not-found",
                message: "there is no checkpoint \(simulation)@\(name); 'fermata log \(simulation)' lists them"
            )
        }
        if let keeper = record.keeper {
            throw ControlError(
                code: "checkpoint-elsewhere",
                message: "\(simulation)@\(name) is in the state folder of the control instance \(keeper): ask there",
                exitCode: 3
            )
        }
        return record
    }

    /// - Throws: when the name is taken or no name.
    func newCheckpointName(_ wanted: String?, of simulation: String) async throws(ControlError) -> String {
        let taken = try await reading { () throws(StoreError) in
            Set(try await self.store.checkpoints(of: simulation).map(\.name))
        }
        let free = { (name: String) in
            !taken.contains(name)
                && !self.checkpointSet.exists(self.checkpointSet.place(of: name, simulation: simulation))
        }
        guard let wanted else {
            var number = 1
            while !free("s\(number)") { number += 1 }
            return "s\(number)"
        }
        try Name.check(wanted, of: "checkpoint")
        guard free(wanted) else {
            throw ControlError(
                code: "checkpoint-exists",
                message:
                    "\(simulation)@\(wanted) exists already, and a checkpoint is never overwritten: take another name",
                exitCode: 3
            )
        }
        return wanted
    }

    /// Takes a checkpoint out of the tree: its children go to its parent, and no simulation stands at it any more.
    /// - Parameter lost: it was not removed by anybody: who is suspended to it has nothing to go on from.
    func removal(of record: CheckpointRecord, lost: Bool = false) async throws(ControlError) -> StoreChange {
        let siblings = try await reading { () throws(StoreError) in
            try await self.store.checkpoints(of: record.simulation)
        }
        let orphans = siblings.filter { $0.parent == record.name }.map { child -> CheckpointRecord in
            var child = child
            child.parent = record.parent
            child.origin = record.origin
            return child
        }
        var standing = try await self.record(ofSimulation: record.simulation)
        let stood = standing?.checkpoint == record.name
        standing?.checkpoint = nil
        if lost, standing?.state == .suspended { standing?.state = .down }
        return StoreChange(simulation: stood ? standing : nil, checkpoints: orphans, removedCheckpoint: record)
    }

    /// Takes what a suspend has saved out of the checkpoints, before it is undone: its guests write on in the very disks that
    /// it holds, and whatever else happens then, nobody may take it for a checkpoint.
    ///
    /// Where that fails the machines are still not kept waiting: the operation stays open until the folder is gone.
    func withdraw(_ place: CheckpointSet.Place) {
        do throws(ControlError) {
            try checkpointSet.unpublish(place)
        } catch {
            logger.error("\(Reason.notWithdrawn(place)): \(error)")
        }
    }

    /// Removes both folders of a place, on every host at once: one that does not answer holds up none of the others.
    /// - Returns: what could not be removed, in the hosts' order.
    @discardableResult
    func discard(_ place: CheckpointSet.Place, on hosts: [String]) async -> [Reason] {
        let concerned = hypervisors.filter { hosts.contains($0.host) }
        let outcomes = await withTaskGroup(of: (Int, [Reason]).self) { group in
            for (index, hypervisor) in concerned.enumerated() {
                group.addTask { (index, await self.discard(place, on: hypervisor)) }
            }
            return await group.reduce(into: [Int: [Reason]]()) { $0[$1.0] = $1.1 }
        }
        var reasons = concerned.indices.flatMap { outcomes[$0] ?? [] }
        do throws(ControlError) {
            try checkpointSet.remove(place)
        } catch {
            reasons += error.reasons
        }
        return reasons
    }

    private func discard(_ place: CheckpointSet.Place, on hypervisor: any Hypervisor) async -> [Reason] {
        var reasons: [Reason] = []
        for folder in [place.partial, place.final] {
            do throws(ControlError) {
                try await work(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.removeCheckpoint(folder: folder)
                }
            } catch {
                reasons += error.reasons.map { $0.told(by: hypervisor.host) }
            }
        }
        return reasons
    }

    func summary(of record: CheckpointRecord, current: Bool) -> CheckpointSummary {
        CheckpointSummary(
            id: record.id,
            simulation: record.simulation,
            checkpoint: record.name,
            parent: record.parent,
            origin: record.origin,
            instant: record.instant,
            created: record.created,
            machines: record.machines,
            bytes: record.bytes,
            current: current,
            sealed: checkpointSet.isSealed(checkpointSet.place(of: record.name, simulation: record.simulation)),
            annotations: record.annotations
        )
    }
}

extension Reason {
    /// Of several hosts, which one says so.
    fileprivate func told(by host: String) -> Reason {
        guard !message.contains(host) else { return self }
        return Reason(code: code, machine: machine, message: "on \(host): \(message)")
    }

    /// What stays in its place would be taken for a checkpoint by the next start.
    static func notWithdrawn(_ place: CheckpointSet.Place) -> Reason {
        Reason(
            code: "file-failed",
            message: "\(place.final) is of a suspend that was undone, and cannot be removed: it is no checkpoint"
        )
    }
}
