import HostClock
import HypervisorAPI
import Time

/// The parts of a recovery that compare the database with hypervisors and disk.
extension ControlInstance {
    /// Operations that hypervisors have and the database has not, or has as finished: a database that was lost or put back.
    func settleStrangers(
        _ undecided: [String: [UndecidedOperation]],
        known: [OperationID],
        _ peers: Peers
    ) async -> [Reason] {
        let strangers = undecided.flatMap { host, operations in operations.map { (host, $0) } }
            .filter { !known.contains($0.1.operation) }
        var reasons: [Reason] = []
        for (id, parts) in Dictionary(grouping: strangers, by: { $0.1.operation }).sorted(by: {
            $0.key.text < $1.key.text
        }) {
            let record: OperationRecord?
            do throws(StoreError) {
                record = try await store.operation(id)
            } catch {
                // Who does not know what was decided must not guess.
                reasons.append(.unresolved(id))
                continue
            }
            if let record, peers.drivers[record.simulation] != nil { continue }
            let decision = record?.state.decision ?? (parts.allSatisfy(\.1.happened) ? .commit : .rollback)
            var undone: [CheckpointSet.Place] = []
            if decision == .rollback {
                do throws(ControlError) {
                    undone = try checkpointSet.places().filter { (try? checkpointSet.load($0))?.operation == id }
                } catch {
                    reasons += error.reasons
                }
            }
            for place in undone { withdraw(place) }
            reasons += await tell(decision, id, to: parts.compactMap { hypervisor(of: $0.0) })
            for place in undone { await discard(place, on: parts.map(\.0)) }
        }
        return reasons
    }

    /// A host that was restarted has no machines any more; a database that was lost knows none of those that live.
    func alignSimulations(_ report: inout RecoveryReport, _ peers: Peers) async throws(ControlError) {
        var alive: [MachineStatus] = []
        for hypervisor in hypervisors {
            // Unless every host answers, nothing can be said of what is not there.
            guard
                let machines = try? await ask(
                    hypervisor,
                    { hypervisor throws(HypervisorError) in try await hypervisor.machines(of: nil) }
                )
            else { return }
            alive += machines.filter { $0.state != .dead }
        }
        let records = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let unfinished = Set(
            try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }.map(\.simulation)
        )
        for var record in records
        where record.state == .running && !alive.contains(where: { $0.simulation == record.name }) {
            guard !unfinished.contains(record.name), peers.drivers[record.name] == nil,
                peers.hosts.isDisjoint(with: record.machines.map(\.host))
            else { continue }
            record.state = .down
            try await writing(StoreChange(simulation: record))
            report.problems.append(
                Reason(
                    code: "machine-not-running",
                    message: "\(record.name) ran, but none of its machines is left: it is down"
                )
            )
        }
        for (name, machines) in Dictionary(grouping: alive, by: \.simulation).sorted(by: { $0.key < $1.key }) {
            guard !unfinished.contains(name), !records.contains(where: { $0.name == name }) else { continue }
            // Its links and resources are known to nobody, so it must not be saved without them.
            let record = SimulationRecord(
                name: name,
                state: .unknown,
                spec: SimulationSpec(name: name, machines: machines.map(\.launch.spec)),
                machines: machines.map { MachineRecord(name: $0.name, host: $0.host, adopted: $0.adopted) },
                checkpoint: nil,
                created: clock.now()
            )
            try await writing(StoreChange(simulation: record))
            report.problems.append(
                Reason(
                    code: "simulation-unknown",
                    message:
                        "machines of \(name) run, and the database does not know it: 'fermata down \(name)' ends them"
                )
            )
        }
    }

    /// The folders on disk are the truth, the database is their index.
    func alignCheckpoints(_ report: inout RecoveryReport) async throws(ControlError) {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        for place in try checkpointSet.places() {
            // What an unresolved operation has saved may still be wanted.
            if unfinished.contains(where: { $0.simulation == place.simulation && $0.checkpoint == place.name }) {
                continue
            }
            if DurableFolder.exists(place.partial) {
                // One of a host that is away is left for gc, which comes again.
                do throws(ControlError) {
                    for hypervisor in hypervisors {
                        try await work(hypervisor) { hypervisor throws(HypervisorError) in
                            try await hypervisor.removeCheckpoint(folder: place.partial)
                        }
                    }
                    try DurableFolder.remove(place.partial)
                    report.removedFolders.append(place.partial)
                } catch {
                    report.problems += error.reasons
                }
            }
            let known = try await reading { () throws(StoreError) in
                try await self.store.checkpoint(place.name, of: place.simulation)
            }
            guard known == nil, DurableFolder.exists(place.final) else { continue }
            do throws(ControlError) {
                let manifest = try checkpointSet.load(place)
                let maker = try await reading { () throws(StoreError) in
                    try await self.store.operation(manifest.operation)
                }
                // Another control instance took the suspend over and undid it; this folder it could not reach.
                if maker?.state.decision == .rollback {
                    try checkpointSet.unpublish(place)
                    report.removedFolders.append(place.final)
                    report.problems += await discard(place, on: hypervisors.map(\.host))
                    continue
                }
                // A lost database does not know the simulation either, and without it nothing could be resumed.
                var simulation =
                    try await record(ofSimulation: place.simulation)
                    ?? SimulationRecord(
                        name: place.simulation,
                        state: .down,
                        spec: manifest.spec,
                        machines: [],
                        checkpoint: nil,
                        origin: manifest.origin,
                        created: manifest.created
                    )
                // One whose machines were found alive was made without it.
                if simulation.state == .unknown, simulation.origin == nil { simulation.origin = manifest.origin }
                try await writing(
                    StoreChange(simulation: simulation, checkpoints: [CheckpointRecord(manifest)])
                )
                report.foundCheckpoints.append("\(place.simulation)@\(place.name)")
            } catch {
                report.problems += error.reasons
            }
        }
        let all = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: nil) }
        for record in all where record.keeper == nil {
            let place = checkpointSet.place(of: record.name, simulation: record.simulation)
            guard !DurableFolder.exists(place.final) else { continue }
            try await writing(try await removal(of: record))
            let title = "\(record.simulation)@\(record.name)"
            report.problems.append(
                Reason(
                    code: "checkpoint-not-found",
                    message: "the folder of checkpoint \(title) is gone, \(place.final)"
                )
            )
        }
    }
}
