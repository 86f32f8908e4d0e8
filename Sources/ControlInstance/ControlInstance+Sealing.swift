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
                guard let self, self.checkpointSet.isPublished(place), !self.isConsumed(place) else { return }
                do throws(ControlError) {
                    try await self.seal(place)
                    return
                } catch {
                    if Task.isCancelled { return }
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
    /// - Throws: why it is not.
    func sealed(_ place: CheckpointSet.Place) async throws(ControlError) {
        sealLater(place)
        await sealing.task(of: place)?.value
        guard checkpointSet.isPublished(place), !checkpointSet.isSealed(place) else { return }
        // Once more, for its reasons.
        try await seal(place)
    }

    private func seal(_ place: CheckpointSet.Place) async throws(ControlError) {
        let manifest = try checkpointSet.load(place)
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
                lost += await within(options.answerTimeout) { await hypervisor.lost(stored) } ?? []
            }
            guard !lost.isEmpty else {
                sealLater(place)
                continue
            }
            try checkpointSet.unpublish(place)
            let known = try await reading { () throws(StoreError) in
                try await self.store.checkpoint(place.name, of: place.simulation)
            }
            if let known { try await writing(try await removal(of: known, lost: true)) }
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

    /// Nobody else may be reading what a machine is about to write on.
    func prepareToConsume(_ place: CheckpointSet.Place) async throws(ControlError) {
        await sealing.stop(place)
    }

    func isConsumed(_ place: CheckpointSet.Place) -> Bool {
        guard let manifest = try? checkpointSet.load(place) else { return false }
        return checkpointSet.isConsumed(manifest, at: place)
    }
}
