import HostClock
import HypervisorAPI
import Logging
import Time

/// What a suspend leaves for later: RAM that is in memory is brought into the checkpoint, everything is digested.
extension ControlInstance {
    /// Begins to seal a checkpoint that is not; again and again until it is, it is removed, or there is nothing left to seal.
    func sealLater(_ place: CheckpointSet.Place) {
        guard checkpointSet.isPublished(place), !checkpointSet.isSealed(place) else { return }
        let options = options
        sealing.begin(place) { [weak self] in
            var pause = options.settlePause
            while !Task.isCancelled {
                guard let self, self.checkpointSet.isPublished(place) else { return }
                do throws(ControlError) {
                    try await self.seal(place)
                    return
                } catch {
                    if Task.isCancelled { return }
                    self.sealing.note(error, of: place)
                    self.logger.warning("\(place.simulation)@\(place.name) is not sealed yet: \(error)")
                    // No second attempt finds what is gone, or mends what does not fit.
                    if error.exitCode == 6 || error.reasons.contains(where: { Self.isFinal($0) }) { return }
                }
                try? await Task.sleep(for: pause.duration)
                pause = min(pause + pause, options.longestSettlePause)
            }
        }
    }

    private static func isFinal(_ reason: Reason) -> Bool {
        ["checkpoint-lost", "checkpoint-consumed", "host-not-found"].contains(reason.code)
    }

    /// Waits until a checkpoint is sealed.
    /// - Throws: why it is not; the attempts go on in the background.
    func sealed(_ place: CheckpointSet.Place) async throws(ControlError) {
        // One that only waits to try again does so now.
        if sealing.failure(of: place) != nil { await sealing.stop(place) }
        sealLater(place)
        while sealing.isUnderWay(place) {
            if let failure = sealing.failure(of: place) { throw failure }
            try? await Task.sleep(for: .milliseconds(20))
        }
        guard checkpointSet.isPublished(place), !checkpointSet.isSealed(place) else { return }
        if let failure = sealing.failure(of: place) { throw failure }
        throw ControlError(
            code: "busy",
            message: "\(place.simulation)@\(place.name) is not sealed, and somebody goes on with its RAM",
            exitCode: 3
        )
    }

    /// Of one whose RAM a machine has taken there is nothing to seal.
    private func seal(_ place: CheckpointSet.Place) async throws(ControlError) {
        let manifest = try checkpointSet.load(place)
        guard !checkpointSet.isConsumed(manifest, at: place) else { return }
        // Whoever was to do that before may have died.
        try await move(manifest, to: place)
        var files: [CheckpointFile] = []
        for (hypervisor, stored) in try stored(manifest, at: place.final) {
            do throws(HypervisorError) {
                files += try await hypervisor.seal(stored)
            } catch {
                throw ControlError(error)
            }
        }
        let seal = CheckpointSeal(id: manifest.id, sealed: clock.now(), files: files)
        guard manifest.sealed(by: seal).files.allSatisfy({ $0.sha256.map(CheckpointSet.isDigest) ?? false }) else {
            throw ControlError(
                code: "report-incomplete",
                message: "not every file of \(place.simulation)@\(place.name) was sealed"
            )
        }
        try checkpointSet.write(seal, at: place)
        changes.tell(.checkpoint(place.name, simulation: place.simulation, removed: false))
        logger.info("\(place.simulation)@\(place.name) is sealed")
    }

    /// Takes up at a start what was not sealed. One whose RAM went with the host's power never became whole, and is removed.
    func sealAll(_ report: inout RecoveryReport) async throws(ControlError) {
        for place in try checkpointSet.places() where checkpointSet.isPublished(place) && !checkpointSet.isSealed(place)
        {
            guard let manifest = try? checkpointSet.load(place), let parts = try? stored(manifest, at: place.final),
                !checkpointSet.isConsumed(manifest, at: place)
            else { continue }
            var lost: [Reason] = []
            for (hypervisor, stored) in parts {
                lost +=
                    (try? await ask(hypervisor) { hypervisor throws(HypervisorError) in
                        try await hypervisor.lost(stored)
                    }) ?? []
            }
            guard !lost.isEmpty else {
                sealLater(place)
                continue
            }
            let known = try await reading { () throws(StoreError) in
                try await self.store.checkpoint(place.name, of: place.simulation)
            }
            // Disks of others may lie on its own: it stays for those, and cannot be resumed.
            guard let known, try await obstacles(toRemoving: known, at: place, besides: []).isEmpty else {
                report.problems += lost
                continue
            }
            try checkpointSet.unpublish(place)
            try await writing(try await removal(of: known, lost: true))
            report.problems += lost.map { reason in
                Reason(
                    code: reason.code,
                    machine: reason.machine,
                    message: "\(place.simulation)@\(place.name) was not sealed when this host went down, and is gone: "
                        + reason.message
                )
            }
            report.problems += await discard(place, on: hypervisors.map(\.host))
            report.removedFolders.append(place.final)
        }
    }

    /// Waits until a checkpoint is sealed.
    /// - Throws: when there is none of that name, or it cannot be sealed: why.
    public func seal(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointSummary {
        let record = try await checkpointRecord(checkpoint, of: simulation)
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        try await sealed(place)
        let current = try await self.record(ofSimulation: simulation)?.checkpoint
        return summary(of: record, current: current == checkpoint)
    }

    /// Gives what is being sealed the time that a process has which is asked to end.
    func endSealing() async {
        let tasks = sealing.all
        _ = await within(options.sealPatience) {
            for task in tasks { await task.value }
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    /// Nobody else may read what a machine is about to write on, from now to ``endConsuming(_:)``.
    /// - Throws: when it is being cloned, exported or removed.
    func beginConsuming(_ place: CheckpointSet.Place) async throws(ControlError) {
        try begin(.consumed, place)
        await sealing.hold(place)
    }

    func endConsuming(_ place: CheckpointSet.Place) {
        sealing.letGo(place)
        endTaking(place)
        sealLater(place)
    }

    func isConsumed(_ place: CheckpointSet.Place) -> Bool {
        guard let manifest = try? checkpointSet.load(place) else { return false }
        return checkpointSet.isConsumed(manifest, at: place)
    }
}
