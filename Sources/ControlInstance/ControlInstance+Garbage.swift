import HostClock
import HypervisorAPI
import Synchronization
import Time

extension ControlInstance {
    /// Removes what nothing refers to, and checkpoints by the rule that the request has. Never what is labelled `keep`, what a
    /// simulation stands at (of one that is down only when the request says so), or what others need.
    /// - Throws: when the request is wrong or something cannot be removed.
    public func collectGarbage(_ request: GarbageRequest) async throws(ControlError) -> GarbageReport {
        if let keep = request.keep, keep < 0 {
            throw ControlError(code: "count-invalid", message: "\(keep) checkpoints cannot be kept", exitCode: 2)
        }
        if let simulation = request.simulation, try await record(ofSimulation: simulation) == nil {
            // One that was forgotten has checkpoints yet.
            let checkpoints = try await reading { () throws(StoreError) in
                try await self.store.checkpoints(of: simulation)
            }
            if checkpoints.isEmpty { throw Self.notFound(simulation: simulation) }
        }
        var items: [GarbageReport.Item] = []
        var spared: [Reason] = []
        var room = FreedRoom(dryRun: request.dryRun)
        for name in try await garbageSimulations(request) {
            do throws(ControlError) {
                try await claiming(name, for: "gc") { () throws(ControlError) in
                    items += try await partialFolders(of: name, request, &room)
                    let (removed, kept) = try await checkpoints(of: name, beyond: request, &room)
                    items += removed
                    spared += kept
                    items += try await abandonedClone(name, request)
                }
            } catch  where error.reasons.allSatisfy({ Self.waits.contains($0.code) }) {
                spared += error.reasons
            }
        }
        if request.simulation == nil {
            let (found, away) = try await leftovers(request)
            items += found
            spared += away
        }
        return GarbageReport(dryRun: request.dryRun, items: items, spared: spared)
    }

    /// What is no error but a reason to leave something for the next time: somebody is at it, or its host is away.
    private static let waits: Set<String> = ["busy", "driven-elsewhere", "host-unreachable", "host-no-answer"]

    private func garbageSimulations(_ request: GarbageRequest) async throws(ControlError) -> [String] {
        if let simulation = request.simulation { return [simulation] }
        let known = try await reading { () throws(StoreError) in try await self.store.simulations().map(\.name) }
        return Set(known + (try checkpointSet.places().map(\.simulation))).sorted()
    }

    private func partialFolders(
        of simulation: String,
        _ request: GarbageRequest,
        _ room: inout FreedRoom
    ) async throws(ControlError) -> [GarbageReport.Item] {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        var items: [GarbageReport.Item] = []
        for place in try checkpointSet.places()
        where place.simulation == simulation && DurableFolder.exists(place.partial) {
            if unfinished.contains(where: { $0.simulation == simulation && $0.checkpoint == place.name }) { continue }
            // Somebody's import comes in there; its simulation is not claimed meanwhile.
            guard (try? begin(.removed, place)) != nil else { continue }
            defer { endTaking(place) }
            let bytes = room.bytes(freedBy: place.partial)
            items.append(GarbageReport.Item(kind: .partial, name: place.partial, bytes: bytes))
            guard !request.dryRun else { continue }
            for hypervisor in hypervisors {
                try await work(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.removeCheckpoint(folder: place.partial)
                }
            }
            try DurableFolder.remove(place.partial)
        }
        return items
    }

    /// The newest first, so that those on whose disks they lie become free.
    private func checkpoints(
        of simulation: String,
        beyond request: GarbageRequest,
        _ room: inout FreedRoom
    ) async throws(ControlError) -> ([GarbageReport.Item], [Reason]) {
        guard request.keep != nil || request.olderThan != nil else { return ([], []) }
        let all = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: simulation) }
        let standing = try await self.record(ofSimulation: simulation)
        let now = clock.now()
        let beyond = all.filter { $0.keeper == nil }.reversed().dropFirst(request.keep ?? 0).filter { record in
            record.annotations.labels[Annotations.keep] == nil
                && (request.olderThan.map { now - record.created > $0 } ?? true)
        }
        var items: [GarbageReport.Item] = []
        var spared: [Reason] = []
        var gone: Set<CheckpointSet.Place> = []
        for record in beyond {
            let place = place(of: record)
            do throws(ControlError) {
                try begin(.removed, place)
            } catch {
                spared += error.reasons
                continue
            }
            defer { endTaking(place) }
            var obstacles = try await obstacles(toRemoving: record, with: gone)
            if !request.all, standing?.state == .down, standing?.checkpoint == record.name {
                obstacles.append(.stoodAt(record))
            }
            guard obstacles.isEmpty else {
                spared += obstacles
                continue
            }
            let name = "\(simulation)@\(record.name)"
            items.append(GarbageReport.Item(kind: .checkpoint, name: name, bytes: room.bytes(freedBy: place.final)))
            gone.insert(place)
            if !request.dryRun { try await removeNow(record) }
        }
        return (items, spared)
    }

    /// Whoever wants it again makes it from its origin.
    private func abandonedClone(
        _ name: String,
        _ request: GarbageRequest
    ) async throws(ControlError) -> [GarbageReport.Item] {
        guard let record = try await record(ofSimulation: name), record.state == .down, record.origin != nil,
            try await reading({ () throws(StoreError) in try await self.store.checkpoints(of: name) }).isEmpty,
            try await !reading({ () throws(StoreError) in try await self.store.unfinishedOperations() })
                .contains(where: { $0.simulation == name })
        else { return [] }
        if !request.dryRun { try await writing(StoreChange(removedSimulation: name)) }
        return [GarbageReport.Item(kind: .simulation, name: name, bytes: 0)]
    }

    /// Of simulations of which hosts may have something that is needed.
    func namesInUse() async throws(ControlError) -> Set<String> {
        let known = try await reading { () throws(StoreError) in
            try await self.store.simulations().map(\.name) + self.store.unfinishedOperations().map(\.simulation)
        }
        // What is just beginning has no record yet.
        let beginning = state.withLock { Set($0.claims.keys) }.union(try await peers().drivers.keys)
        return Set(known).union(beginning)
    }

    private func leftovers(
        _ request: GarbageRequest
    ) async throws(ControlError) -> ([GarbageReport.Item], [Reason]) {
        let names = try await namesInUse().sorted()
        var items: [GarbageReport.Item] = []
        var away: [Reason] = []
        for hypervisor in hypervisors {
            do throws(ControlError) {
                items += try await work(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.leftovers(besides: names, removing: !request.dryRun)
                }.map { GarbageReport.Item(kind: .leftover, name: $0.path, bytes: $0.bytes) }
            } catch  where error.reasons.allSatisfy({ Self.waits.contains($0.code) }) {
                away += error.reasons
            }
        }
        return (items, away)
    }
}

extension Reason {
    fileprivate static func stoodAt(_ record: CheckpointRecord) -> Reason {
        let name = record.simulation
        return Reason(
            code: "checkpoint-in-use",
            message: "\(name) is down and stands at \(name)@\(record.name): 'fermata gc --all' takes that, too, "
                + "or 'fermata forget \(name)' first"
        )
    }
}

/// What the items of one collection free, one after the other.
private struct FreedRoom {
    let dryRun: Bool
    private var use = DiskUse()

    init(dryRun: Bool) { self.dryRun = dryRun }

    mutating func bytes(freedBy path: String) -> UInt64 {
        // What was really removed has no names any more.
        if !dryRun { use = DiskUse() }
        let before = use.freedBytes
        use.add(path)
        return use.freedBytes - before
    }
}
