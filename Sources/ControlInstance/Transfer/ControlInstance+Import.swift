public import Archive
import Glibc
import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// Makes a checkpoint of an archive's bytes. It is there only when all of it has been read, compared and made durable.
    /// - Throws: when the name is taken, or the archive is not whole or not to be trusted (exit code 6); nothing is left then.
    public func importCheckpoint(
        _ request: ImportRequest,
        from channel: ByteChannel
    ) async throws(ControlError) -> ImportReport {
        // Whoever still sends is told at once when nobody listens any more.
        defer { channel.cancel() }
        if let simulation = request.simulation { try Name.check(simulation, of: "simulation") }
        if let checkpoint = request.checkpoint { try Name.check(checkpoint, of: "checkpoint") }
        try Self.check(binaries: request.binaries)
        try refuseUnknownHosts(request.hosts)
        // Before anything is read, if it is known by then.
        if let simulation = request.simulation, let checkpoint = request.checkpoint {
            _ = try await newCheckpointName(checkpoint, of: simulation)
        }
        let reader = try await reading("the archive") { () throws(ArchiveError) in try ArchiveReader(channel) }
        let head = try await reading("the archive") { () throws(ArchiveError) in try reader.head() }
        let simulation = request.simulation ?? head.simulation
        let checkpoint = request.checkpoint ?? head.checkpoint
        try Name.check(simulation, of: "simulation")
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        try begin(.imported, place)
        defer { endTaking(place) }
        try await claiming(simulation, for: "import") { () throws(ControlError) in
            _ = try await newCheckpointName(checkpoint, of: simulation)
            try checkpointSet.reserve(place)
        }
        do throws(ControlError) {
            return try await receive(reader, head, into: place, request)
        } catch {
            checkpointSet.abandon(place)
            throw error
        }
    }

    private func receive(
        _ reader: ArchiveReader,
        _ head: ArchiveHead,
        into place: CheckpointSet.Place,
        _ request: ImportRequest
    ) async throws(ControlError) -> ImportReport {
        let title = "\(place.simulation)@\(place.name)"
        try checkSpace(for: head.dataBytes, at: place)
        try await checkQuota(of: place.simulation, for: head.dataBytes)
        let bytes = try await reading(title) { () throws(ArchiveError) in
            try reader.document(CheckpointSet.manifestName, limit: CheckpointSet.sizeLimit)
        }
        let archived = try CheckpointSet.decode(bytes, title: title)
        let files = try archived.archivedFiles(head)
        let placing = try placing(archived, request.hosts)
        try await reading(title) { () throws(ArchiveError) in
            try reader.extract(files, into: place.partial)
            try reader.finish()
        }
        var traces = ArrivalTraces()
        do throws(ControlError) {
            let arrival = try await settleIn(archived, at: place, placing, request, &traces)
            var manifest = archived.taken(as: place, at: clock.now())
            manifest.spec = arrival.simulation
            manifest.spec.name = place.simulation
            manifest.machines = arrival.machines
            placing.describe(&manifest)
            try await publish(manifest, at: place, &traces)
            sealLater(place)
            return ImportReport(
                manifest,
                importedFrom: archived.asProvenance,
                reasons: arrival.obstacles + linkObstacles(manifest.spec, manifest.hosts),
                notes: placing.notes + arrival.notes + Self.hookNotes(manifest.spec)
            )
        } catch {
            await withdraw(place, traces)
            throw error
        }
    }

    private static func hookNotes(_ spec: SimulationSpec) -> [String] {
        let hooks = (spec.hooks ?? []).map { ($0.event.rawValue, $0.command) }
        let triggers = (spec.triggers ?? []).compactMap { trigger -> (String, [String])? in
            if case .hook(let command, _) = trigger.action { (HookEvent.trigger.rawValue, command) } else { nil }
        }
        return (hooks + triggers).map { event, command in
            "the hook \(event) runs a command of the archive's here: \(command.joined(separator: " "))"
        }
    }

    /// Makes each host have its part, of which all is in this host's folder before.
    /// - Returns: all of it, its machines in the manifest's order.
    private func settleIn(
        _ archived: CheckpointManifest,
        at place: CheckpointSet.Place,
        _ placing: Placing,
        _ request: ImportRequest,
        _ traces: inout ArrivalTraces
    ) async throws(ControlError) -> Arrival {
        // Also without machines: what is said of the simulation as a whole is said here.
        var all = try await fitted(
            placing.part(of: archived, on: ownHost, in: place.partial),
            on: hypervisors[0],
            at: place,
            of: archived.spec,
            binaries: request.binaries,
            &traces
        ) {
            // The archive's digests are of bytes, and have been compared; RAM has one of its pages in the manifest.
            StoredCheckpoint(folder: $0.folder, machines: $0.machines.filter { $0.ram != nil }, links: [])
        }
        for host in placing.others(than: ownHost) {
            guard let hypervisor = hypervisor(of: host) else { continue }
            let part = placing.part(of: archived, on: host, in: place.partial)
            let bytes = part.files.reduce(0) { $0 &+ DiskUse.bytes(of: "\(place.partial)/\($1.path)") }
            try await refuseUnlessRoom(for: bytes, on: hypervisor)
            let sources = Dictionary(
                part.files.map { ($0.path, FilePlace(folder: place.partial, path: $0.path)) },
                uniquingKeysWith: { first, _ in first }
            )
            // What lies on this host goes from it anyway.
            var way: DirectWay?
            let sent = try await send(part, from: hypervisors[0], sources, to: hypervisor, as: place, &traces, by: &way)
            {
                file throws(ControlError) in
                try DurableFolder.remove("\(place.partial)/\(file.path)")
            }
            for machine in part.machines { try DurableFolder.remove("\(place.partial)/machines/\(machine.name)") }
            let arrival = try await fitted(
                sent,
                on: hypervisor,
                at: place,
                of: archived.spec,
                binaries: request.binaries,
                &traces
            )
            all.add(arrival)
        }
        all.machines = archived.machines.compactMap { old in all.machines.first { $0.name == old.name } }
        return all
    }

    private func publish(
        _ manifest: CheckpointManifest,
        at place: CheckpointSet.Place,
        _ traces: inout ArrivalTraces
    ) async throws(ControlError) {
        // Of bytes that took hours to come nothing is thrown away because somebody looks at the simulation just now.
        try await claimPatiently(place.simulation, .verb("import"))
        defer { release(place.simulation) }
        let set = checkpointSet
        let own = manifest.part(on: ownHost)
        // A sync of gigabytes.
        try await ArchiveThread.run { () throws(ControlError) in
            try set.refuseUnlessComplete(own, in: place.partial)
            try set.publish(manifest, at: place)
        }
        do throws(ControlError) {
            try await settle(place, on: manifest.otherHosts(than: ownHost), &traces)
            var simulation: SimulationRecord?
            if try await record(ofSimulation: place.simulation) == nil {
                simulation = SimulationRecord(
                    name: place.simulation,
                    state: .down,
                    spec: manifest.spec,
                    machines: [],
                    checkpoint: nil,
                    created: manifest.created
                )
            }
            try await writing(StoreChange(simulation: simulation, checkpoints: [CheckpointRecord(manifest)]))
        } catch {
            try? checkpointSet.unpublish(place)
            throw error
        }
    }

    private func checkSpace(for bytes: UInt64, at place: CheckpointSet.Place) throws(ControlError) {
        var volume = statvfs()
        guard statvfs(place.partial, &volume) == 0 else { return }
        let free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
        guard free >= bytes else {
            throw ControlError(
                code: "no-space",
                message: "the archive takes \(bytes >> 20) MiB, and \(checkpointSet.folder) has \(free >> 20) MiB free",
                exitCode: 3
            )
        }
    }

    /// One step of reading, which may block, beside the threads of tasks.
    private func reading<Value: Sendable>(
        _ title: String,
        _ step: @escaping @Sendable () throws(ArchiveError) -> Value
    ) async throws(ControlError) -> Value {
        do throws(ArchiveError) {
            return try await ArchiveThread.run(step)
        } catch {
            throw ControlError(error, of: title)
        }
    }
}

extension CheckpointManifest {
    /// What a host has of it.
    func part(on host: String) -> CheckpointManifest {
        var part = self
        part.machines = machines.filter { $0.host == host }
        let names = part.machines.map(\.name)
        part.links = links.filter { names.contains($0.towards) }
        return part
    }

    func otherHosts(than own: String) -> [String] { Set(machines.map(\.host)).subtracting([own]).sorted() }

    /// The same as a checkpoint of this control instance; of its machines and their simulation the hosts have yet to say what they are here.
    fileprivate func taken(as place: CheckpointSet.Place, at now: HostInstant) -> CheckpointManifest {
        var manifest = self
        manifest.tool = CheckpointSet.tool
        manifest.format = CheckpointManifest.currentFormat
        manifest.id = sortableID(at: now)
        manifest.simulation = place.simulation
        manifest.name = place.name
        manifest.operation = OperationID.new(at: now)
        manifest.created = now
        manifest.parent = nil
        manifest.importedFrom = asProvenance
        return manifest
    }
}

extension Arrival {
    /// Another host's part of the same simulation.
    fileprivate mutating func add(_ other: Arrival) {
        machines += other.machines
        obstacles += other.obstacles
        // Of the simulation as a whole each host says the same.
        notes += other.notes.filter { !notes.contains($0) }
        for index in simulation.machines.indices {
            guard let machine = other.machines.first(where: { $0.name == simulation.machines[index].name }) else {
                continue
            }
            simulation.machines[index] = machine.launch.spec
        }
    }
}

extension ControlInstance {
    static func check(binaries: [String]) throws(ControlError) {
        for binary in binaries where !binary.hasPrefix("/") {
            throw ControlError(code: "bad-request", message: "'\(binary)' is no absolute path of a QEMU", exitCode: 2)
        }
    }
}
