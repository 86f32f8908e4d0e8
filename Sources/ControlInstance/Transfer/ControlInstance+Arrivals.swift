import HypervisorAPI
import Logging
import Time

/// Parts of checkpoints that come to a host.
extension ControlInstance {
    /// Where a file of a checkpoint lies, on whatever host.
    typealias Sources = [String: FilePlace]

    /// Brings the files of a part of a checkpoint to another host, into a folder that is nobody's checkpoint.
    /// - Parameters:
    ///   - part: as it is described, all disks alone.
    ///   - sources: where its files lie.
    ///   - way: by which they come without going through this process; nil: there is none.
    ///   - brought: called with each file once it is there.
    /// - Returns: the part, where it is now.
    /// - Throws: ``withdraw(_:_:)`` what is left then.
    func send(
        _ part: StoredCheckpoint,
        from sender: any Hypervisor,
        _ sources: Sources,
        to receiver: any Hypervisor,
        as place: CheckpointSet.Place,
        _ traces: inout ArrivalTraces,
        by way: inout DirectWay?,
        brought: (CheckpointFile) throws(ControlError) -> Void = { _ in }
    ) async throws(ControlError) -> StoredCheckpoint {
        var part = part
        let arriving = ArrivalName.arriving(place.partial)
        part.folder = arriving
        if traces.noteFirst(arriving, on: receiver.host) {
            // What was left there by one that failed.
            try await work(receiver) { receiver throws(HypervisorError) in
                try await receiver.removeCheckpoint(folder: arriving)
            }
        }
        for file in part.files {
            guard let source = sources[file.path] else { throw .sourceMissing(file, of: sender.host) }
            let target = FilePlace(folder: arriving, path: file.path)
            if try await isShared(file, source, from: sender, to: target, on: receiver) {
                try brought(file)
                continue
            }
            var position: UInt64 = 0
            if var direct = way {
                defer { way = direct }
                guard let came = try await fetch(source, to: target, bytes: file.bytes, by: &direct) else {
                    try brought(file)
                    continue
                }
                position = came
            }
            try await bring(source, from: sender, to: target, on: receiver, bytes: file.bytes, behind: position)
            try brought(file)
        }
        return part
    }

    /// Fits a part of a checkpoint to the host that it has come to, and compares it. It is in the place's folder that is not whole yet, then.
    /// - Parameter compared: what of it nobody has compared yet.
    func fitted(
        _ part: StoredCheckpoint,
        on hypervisor: any Hypervisor,
        at place: CheckpointSet.Place,
        of simulation: SimulationSpec,
        binaries: [String],
        joins: Bool = false,
        _ traces: inout ArrivalTraces,
        comparing compared: (StoredCheckpoint) -> StoredCheckpoint = { $0 }
    ) async throws(ControlError) -> Arrival {
        let order = ArrivalOrder(
            checkpoint: part,
            simulation: simulation,
            finalFolder: place.final,
            binaries: binaries,
            joins: joins
        )
        var arrival = try await making(place.partial, on: hypervisor.host, &traces) { () throws(ControlError) in
            try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in try await hypervisor.fit(order) }
        }
        guard arrival.machines.map(\.name) == part.machines.map(\.name) else {
            throw ControlError(
                code: "report-incomplete",
                message: "host \(hypervisor.host) has not taken every machine that came to it"
            )
        }
        for index in arrival.machines.indices { arrival.machines[index].host = hypervisor.host }
        let stored = compared(
            StoredCheckpoint(folder: place.partial, machines: arrival.machines, links: part.links)
        )
        guard !stored.files.isEmpty else { return arrival }
        let damage = try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
            try await hypervisor.verify(stored)
        }
        guard damage.isEmpty else { throw ControlError(damage) }
        return arrival
    }

    /// Makes other hosts call their parts what they are called from now on.
    func settle(
        _ place: CheckpointSet.Place,
        on hosts: [String],
        _ traces: inout ArrivalTraces
    ) async throws(ControlError) {
        for host in hosts {
            guard let hypervisor = hypervisor(of: host) else { continue }
            try await making(place.final, on: host, &traces) { () throws(ControlError) in
                try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.moveCheckpoint(folder: place.partial, to: place.final)
                }
            }
        }
    }

    /// Notes that a host may have a folder from now on; if it says that there was one of that name before, that one is not ours.
    func making<Value: Sendable>(
        _ folder: String,
        on host: String,
        _ traces: inout ArrivalTraces,
        _ body: () async throws(ControlError) -> Value
    ) async throws(ControlError) -> Value {
        let isNew = traces.noteFirst(folder, on: host)
        do throws(ControlError) {
            return try await body()
        } catch {
            if isNew, error.isTaken { traces.forget(folder, on: host) }
            throw error
        }
    }

    /// - Throws: `no-space` (exit code 3) when a host says that it has less room.
    func refuseUnlessRoom(for bytes: UInt64, on hypervisor: any Hypervisor) async throws(ControlError) {
        let described = try await ask(hypervisor, within: Self.descriptionTimeout) {
            hypervisor throws(HypervisorError) in
            try await hypervisor.describe()
        }
        guard let free = described.freeBytes, free < bytes else { return }
        throw ControlError(
            code: "no-space",
            message: "what goes to host \(hypervisor.host) takes \(bytes >> 20) MiB, and it has \(free >> 20) MiB free",
            exitCode: 3
        )
    }

    /// Leaves nothing on other hosts of what was to become a checkpoint. A host that is away is told as soon as it is there again, unless
    /// somebody has made another one of that name meanwhile.
    func withdraw(_ place: CheckpointSet.Place, _ traces: ArrivalTraces) async {
        for (host, folders) in traces.folders {
            guard let hypervisor = hypervisor(of: host) else { continue }
            do throws(ControlError) {
                try await clear(folders, on: hypervisor)
            } catch {
                logger.warning("\(place.simulation)@\(place.name) is left on host \(host) for now: \(error)")
                withdrawLater(place, folders, from: host)
            }
        }
    }

    func withdrawLater(_ place: CheckpointSet.Place, _ folders: [String], from host: String) {
        let options = options
        Task { [weak self] in
            var pause = options.settlePause
            while true {
                try? await Task.sleep(for: pause.duration)
                guard let self, let hypervisor = self.hypervisor(of: host) else { return }
                if (try? await self.clearUnlessTaken(place, folders, on: hypervisor)) != nil { return }
                pause = min(pause + pause, options.longestSettlePause)
            }
        }
    }

    private func clearUnlessTaken(
        _ place: CheckpointSet.Place,
        _ folders: [String],
        on hypervisor: any Hypervisor
    ) async throws(ControlError) {
        try begin(.removed, place)
        defer { endTaking(place) }
        try await claiming(place.simulation, for: "import") { () throws(ControlError) in
            guard !checkpointSet.exists(place) else { return }
            try await clear(folders, on: hypervisor)
        }
    }

    private func clear(_ folders: [String], on hypervisor: any Hypervisor) async throws(ControlError) {
        for folder in folders {
            try await work(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.removeCheckpoint(folder: folder)
            }
        }
    }
}

extension ControlError {
    /// There is something of that name, which is not ours.
    fileprivate var isTaken: Bool { reasons.contains { $0.code == "checkpoint-exists" } }

    /// - Parameter owner: a host or a checkpoint.
    static func sourceMissing(_ file: CheckpointFile, of owner: String) -> ControlError {
        ControlError(code: "report-incomplete", message: "nobody says where \(file.path) of \(owner) lies")
    }
}
