import HypervisorAPI

/// Whose disks lie on whose.
extension ControlInstance {
    /// Other checkpoints whose disks lie on those of this one, and those of which that cannot be told.
    ///
    /// What lies on disk counts, not what the database knows: a checkpoint that it does not know is no less worth.
    func obstacles(
        toRemoving record: CheckpointRecord,
        at place: CheckpointSet.Place,
        besides others: Set<CheckpointSet.Place> = []
    ) async throws(ControlError) -> [Reason] {
        let records = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: nil) }
        let title = "\(record.simulation)@\(record.name)"
        var dependents: [String] = []
        var unreadable: [Reason] = []
        for other in try checkpointSet.places()
        where other != place && !others.contains(other) && checkpointSet.isPublished(other) {
            let name = "\(other.simulation)@\(other.name)"
            do throws(ControlError) {
                let machines = try checkpointSet.load(other).machines
                let disks = machines.flatMap(\.disks)
                var files = disks.flatMap { $0.backingFiles + [$0.file.path] }
                // What an imported checkpoint brought along, its descendants start with, too.
                files += machines.flatMap { machine in
                    let spec = machine.launch.spec
                    return [spec.kernel, spec.initrd, spec.firmware].compactMap { $0 } + spec.arguments
                        + (machine.launch.adoptedArguments ?? [])
                }
                // Another host has its part in a state folder of its own, at the same place in it.
                let there = "/checkpoints/\(place.simulation)/\(place.name)/"
                let isElsewhere = machines.contains { $0.host != ownHost }
                if files.contains(where: {
                    DurableFolder.isFile($0, in: place.final) || isElsewhere && $0.contains(there)
                }) {
                    dependents.append(name)
                }
            } catch {
                let known = records.first { $0.simulation == other.simulation && $0.name == other.name }
                guard known.map({ mayLie($0, on: record, among: records) }) ?? true else { continue }
                let advice =
                    known == nil
                    ? "use the release that wrote it, or move \(other.final) away"
                    : "use the release that wrote it, or remove \(name) first"
                unreadable.append(
                    Reason(
                        code: "checkpoint-in-use",
                        message: "disks of \(name) may lie on those of \(title), which its manifest would tell: "
                            + "\(error); \(advice)"
                    )
                )
            }
        }
        for other in records
        where other.keeper != nil && other.simulation == record.simulation && mayLie(other, on: record, among: records)
        {
            let name = "\(other.simulation)@\(other.name)"
            unreadable.append(
                Reason(
                    code: "checkpoint-in-use",
                    message:
                        "disks of \(name), which the control instance \(other.keeper ?? "") keeps, may lie on those of \(title): "
                        + "remove \(name) there first"
                )
            )
        }
        guard !dependents.isEmpty else { return unreadable }
        let reason = Reason(
            code: "checkpoint-in-use",
            message: "disks of \(dependents.joined(separator: ", ")) lie on those of \(title): remove them first"
        )
        return [reason] + unreadable
    }

    /// Clones that run straight from it. Those that stand at a checkpoint of their own need it only for disks.
    func clones(of record: CheckpointRecord) async throws(ControlError) -> [Reason] {
        let simulations = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        let clones = (simulations.filter { $0.state != .down } + unfinished.map(\.target))
            .filter { $0.origin?.id == record.id && $0.checkpoint == nil }
        guard !clones.isEmpty else { return [] }
        let names = Set(clones.map(\.name)).sorted().joined(separator: ", ")
        return [
            Reason(
                code: "checkpoint-in-use",
                message: "clones run on from \(record.simulation)@\(record.name): take down \(names) first"
            )
        ]
    }

    /// What is older and no descendant cannot. Without this, two unreadable ones could never be removed, for each other's sake.
    private func mayLie(
        _ other: CheckpointRecord,
        on record: CheckpointRecord,
        among records: [CheckpointRecord]
    ) -> Bool {
        if other.created >= record.created { return true }
        // A host's clock may have been set back between the two.
        var seen: Set<String> = []
        var ancestor = other
        while let parent = ancestor.parent, seen.insert(parent).inserted, other.simulation == record.simulation {
            if parent == record.name { return true }
            guard let next = records.first(where: { $0.simulation == record.simulation && $0.name == parent }) else {
                return false
            }
            ancestor = next
        }
        return false
    }
}
