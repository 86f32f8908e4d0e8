import Glibc
import HostClock
import HypervisorAPI
import Logging
import Synchronization
import Time

/// Simulations that end with whoever wanted them: a harness that is killed leaves nothing behind.
extension ControlInstance {
    /// Makes a name that is free one of a simulation which lives as long as the lease, or takes up again what a daemon that has ended
    /// had lent. What is started by that name ends with the lease.
    /// - Returns: how it ended, once it has.
    /// - Throws: when there is something of that name, or somebody else holds it.
    public func holdLease(of simulation: String) async throws(ControlError) -> AsyncStream<LeaseReport> {
        try Name.check(simulation, of: "simulation")
        guard !store.isShared else {
            throw ControlError(
                code: "lease-not-shared",
                message:
                    "leases are known to one control instance alone, and others have this database (FERMATA_DATABASE), too: take "
                    + "one with a database of its own for runs that end with whoever wanted them",
                exitCode: 3
            )
        }
        let (stream, holder) = AsyncStream<LeaseReport>.makeStream()
        if state.withLock({ $0.leases.takeUp(simulation, holder) }) { return stream }
        guard !state.withLock({ $0.leases.contains(simulation) }) else {
            throw ControlError(
                code: "lease-held",
                message: "somebody holds \(simulation) already, or its lease is ending: take another name",
                exitCode: 3
            )
        }
        try await claimInTurn(simulation, .lease)
        defer { release(simulation) }
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        let isKnown = try await record(ofSimulation: simulation) != nil
        let hasCheckpoints = try checkpointSet.places().contains { $0.simulation == simulation }
        guard !isKnown, !hasCheckpoints, !unfinished.contains(where: { $0.simulation == simulation }) else {
            throw ControlError(
                code: "simulation-exists",
                message:
                    "\(simulation) is there already, and would be removed at the end of the lease: take another name",
                exitCode: 3
            )
        }
        // Written first: a daemon that is killed right after it answered leaves nothing that nobody ends.
        try DurableFolder.create(leaseFolder)
        try DurableFolder.write([], to: leaseFile(simulation))
        state.withLock { $0.leases.begin(simulation, holder) }
        return stream
    }

    /// Ends a simulation's machines and removes it with its checkpoints, but for those that are to be kept.
    /// - Parameter names: of checkpoints.
    /// - Throws: when there is no such lease, or something could not be ended; attempts go on in the background then.
    public func endLease(of simulation: String, keeping names: [String] = []) async throws(ControlError) -> LeaseReport
    {
        guard state.withLock({ $0.leases.beginEnding(simulation) }) else {
            throw ControlError(code: "lease-not-found", message: "there is no lease of '\(simulation)'")
        }
        do throws(ControlError) {
            return try await carryOutEnd(of: simulation, keeping: Set(names))
        } catch {
            endLater(simulation, keeping: Set(names))
            throw error
        }
    }

    /// Its holder has gone without a word: everything ends, nothing is kept.
    public func dropLease(of simulation: String) {
        guard state.withLock({ $0.leases.beginEnding(simulation) }) else { return }
        logger.notice("who held \(simulation) has gone: it ends")
        endLater(simulation, keeping: [], pause: .zero)
    }

    /// What earlier daemons had lent. Whoever holds it has some time to come back.
    func recoverLeases(_ report: inout RecoveryReport) {
        guard DurableFolder.exists(leaseFolder) else { return }
        do throws(ControlError) {
            let names = try DurableFolder.names(in: leaseFolder).filter { Name.isValid($0) }
            for name in names { state.withLock { $0.leases.find(name) } }
            let grace = options.leaseGrace
            Task { [weak self] in
                try? await Task.sleep(for: grace.duration)
                for name in names {
                    guard let self, self.state.withLock({ $0.leases.beginEnding(name, orphansOnly: true) }) else {
                        continue
                    }
                    self.logger.notice("nobody holds \(name) any more: it ends")
                    self.endLater(name, keeping: [], pause: .zero)
                }
            }
        } catch {
            report.problems += error.reasons
        }
    }

    private var leaseFolder: String { "\(home)/leases" }

    private func leaseFile(_ simulation: String) -> String { "\(leaseFolder)/\(simulation)" }

    /// Again and again until nothing of it is left.
    private func endLater(_ simulation: String, keeping names: Set<String>, pause first: Span? = nil) {
        let options = options
        Task { [weak self] in
            var pause = first ?? options.settlePause
            while true {
                try? await Task.sleep(for: pause.duration)
                guard let self else { return }
                do throws(ControlError) {
                    let report = try await self.carryOutEnd(of: simulation, keeping: names)
                    for reason in report.reasons {
                        self.logger.warning("\(simulation) is not gone as a whole: \(reason)")
                    }
                    return
                } catch {
                    self.logger.warning("\(simulation) has not ended with its lease yet: \(error)")
                }
                pause = min(max(pause + pause, options.settlePause), options.longestSettlePause)
            }
        }
    }

    private func carryOutEnd(
        of simulation: String,
        keeping names: Set<String>
    ) async throws(ControlError) -> LeaseReport {
        try await claimFromOthers(simulation)
        defer { release(simulation) }
        var report = LeaseReport(simulation: simulation)
        // Another attempt may have done it meanwhile.
        guard state.withLock({ $0.leases.contains(simulation) }) else { return report }
        if try await isThere(simulation) { report.machines = try await takeDownClaimed(simulation).machines }
        try await removeCheckpoints(of: simulation, keeping: names, &report)
        if report.kept.isEmpty { try await removeTraces(of: simulation) }
        try DurableFolder.remove(leaseFile(simulation))
        let isGone = report.kept.isEmpty
        let holder = state.withLock { $0.leases.end(simulation, isGone: isGone, at: clock.now()) }
        holder?.yield(report)
        holder?.finish()
        return report
    }

    /// Whatever is under way with it is called off; nothing new begins, since its lease is ending.
    private func claimFromOthers(_ simulation: String) async throws(ControlError) {
        let end = clock.now() + options.reportTimeout
        while true {
            let live = state.withLock { state -> LiveOperation? in
                guard case .operation(let id) = state.claims[simulation] else { return nil }
                return state.live[id]
            }
            live?.callOff.call()
            do throws(ControlError) {
                return try await claim(simulation, .lease)
            } catch {
                guard clock.now() < end else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func isThere(_ simulation: String) async throws(ControlError) -> Bool {
        if try await record(ofSimulation: simulation) != nil { return true }
        return try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
            .contains { $0.simulation == simulation }
    }

    /// The newest first, so that those on whose disks they lie become free.
    private func removeCheckpoints(
        of simulation: String,
        keeping names: Set<String>,
        _ report: inout LeaseReport
    ) async throws(ControlError) {
        let all = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: simulation) }
        for record in all.reversed() {
            if names.contains(record.name) {
                report.kept.append(record.name)
                continue
            }
            let reasons = try await remove(leased: record)
            if reasons.isEmpty { report.removed.append(record.name) } else { report.kept.append(record.name) }
            report.reasons += reasons
        }
    }

    /// - Returns: why it stays.
    private func remove(leased record: CheckpointRecord) async throws(ControlError) -> [Reason] {
        let place = place(of: record)
        var reasons: [Reason] = []
        for attempt in 0..<max(Self.mostAttempts, options.leaseAttempts) {
            do throws(ControlError) {
                try begin(.removed, place)
                defer { endTaking(place) }
                reasons = try await obstacles(toRemoving: record, with: [])
                if reasons.isEmpty {
                    try await removeNow(record)
                    return []
                }
            } catch  where error.reasons.contains(where: { $0.code == "busy" }) {
                reasons = error.reasons
            }
            // A harness that was killed had more than one: clones of this one end in this moment, too.
            let othersEnd = state.withLock { $0.leases.isAnyEnding(besides: record.simulation) }
            guard attempt < options.leaseAttempts || othersEnd else { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return reasons
    }

    /// Also when others that end do not come to their end.
    private static let mostAttempts = 100

    /// Record, logs, what was measured of its machines: nobody asks for them by that name again.
    private func removeTraces(of simulation: String) async throws(ControlError) {
        try await writing(StoreChange(removedSimulation: simulation))
        // Only when nothing is in it.
        rmdir("\(home)/checkpoints/\(simulation)")
        let names = try await namesInUse().subtracting([simulation])
        for hypervisor in hypervisors {
            // A host that is away has no machine of it any more; what else is there, gc finds.
            _ = try? await work(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.leftovers(besides: names.sorted(), removing: true)
            }
        }
    }
}
