import HypervisorAPI

extension ControlInstance {
    /// Removes a checkpoint for good. Its children become its parent's, or are removed with it.
    /// - Parameter recursive: with all that grew from it in its simulation.
    /// - Returns: the names of those that are gone, descendants first.
    /// - Throws: when a simulation or clone stands at one of them, or disks of others lie on theirs; nothing is removed then.
    @discardableResult
    public func remove(
        _ simulation: String,
        _ checkpoint: String,
        recursive: Bool = false
    ) async throws(ControlError) -> [String] {
        try await claiming(simulation, for: "rm") { () throws(ControlError) in
            let record = try await checkpointRecord(checkpoint, of: simulation)
            let doomed = recursive ? try await subtree(of: record) : [record]
            let places = doomed.map { place(of: $0) }
            var begun: [CheckpointSet.Place] = []
            defer { for place in begun { endTaking(place) } }
            for place in places {
                try begin(.removed, place)
                begun.append(place)
            }
            var obstacles: [Reason] = []
            for record in doomed { obstacles += try await self.obstacles(toRemoving: record, with: Set(places)) }
            guard obstacles.isEmpty else { throw ControlError(obstacles, exitCode: 3) }
            for record in doomed { try await removeNow(record) }
            return doomed.map(\.name)
        }
    }

    /// Everything that stands against it.
    /// - Parameter others: what is removed with it, and so needs it no more.
    func obstacles(
        toRemoving record: CheckpointRecord,
        with others: Set<CheckpointSet.Place>
    ) async throws(ControlError) -> [Reason] {
        var obstacles: [Reason] = []
        let name = record.simulation
        if let standing = try await self.record(ofSimulation: name), standing.checkpoint == record.name,
            standing.state != .down
        {
            let what = standing.state == .suspended ? "is suspended to" : "runs on from"
            obstacles.append(
                Reason(
                    code: "checkpoint-in-use",
                    message: "\(name) \(what) \(name)@\(record.name): take it down first"
                )
            )
        }
        obstacles += try await clones(of: record)
        return try await obstacles + self.obstacles(toRemoving: record, at: place(of: record), besides: others)
    }

    /// Nothing stands against it.
    func removeNow(_ record: CheckpointRecord) async throws(ControlError) {
        let place = place(of: record)
        let hosts = try await reachableHosts(of: place)
        await sealing.hold(place)
        defer { sealing.letGo(place) }
        // Out of its place first: what a crash leaves from here on, the next start clears away.
        try checkpointSet.unpublish(place)
        try await writing(try await removal(of: record))
        let remaining = await discard(place, on: hosts)
        guard remaining.isEmpty else { throw ControlError(remaining) }
    }

    /// The hosts that have a part of it. A host that is away would keep its part, and nobody would know of it any more.
    /// - Throws: when one of them does not answer.
    private func reachableHosts(of place: CheckpointSet.Place) async throws(ControlError) -> [String] {
        let named = (try? checkpointSet.load(place).machines.map(\.host)).map { Set($0 + [ownHost]) }
        let concerned = hypervisors.filter { named?.contains($0.host) ?? true }
        for hypervisor in concerned where hypervisor.host != ownHost {
            _ = try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.machines(of: place.simulation)
            }
        }
        return concerned.map(\.host)
    }

    func place(of record: CheckpointRecord) -> CheckpointSet.Place {
        checkpointSet.place(of: record.name, simulation: record.simulation)
    }

    /// Descendants first, each before its parent.
    private func subtree(of root: CheckpointRecord) async throws(ControlError) -> [CheckpointRecord] {
        let all = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: root.simulation) }
        var found = [root]
        var seen: Set<String> = [root.name]
        var next = 0
        while next < found.count {
            let children = all.filter { $0.parent == found[next].name && seen.insert($0.name).inserted }
            found += children
            next += 1
        }
        return found.reversed()
    }
}
