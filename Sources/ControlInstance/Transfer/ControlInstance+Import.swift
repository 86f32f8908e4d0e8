public import Archive
import Glibc
import HostClock
import HypervisorAPI

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
        for binary in request.binaries where !binary.hasPrefix("/") {
            throw ControlError(code: "bad-request", message: "'\(binary)' is no absolute path of a QEMU", exitCode: 2)
        }
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
        try await reading(title) { () throws(ArchiveError) in
            try reader.extract(files, into: place.partial)
            try reader.finish()
        }
        let order = ArrivalOrder(
            checkpoint: StoredCheckpoint(folder: place.partial, machines: archived.machines, links: archived.links),
            simulation: archived.spec,
            finalFolder: place.final,
            binaries: request.binaries
        )
        let arrival = try await wait(for: hypervisors[0]) { hypervisor throws(HypervisorError) in
            try await hypervisor.fit(order)
        }
        // The archive's digests are of bytes; RAM has one of its pages in the manifest.
        let withRAM = arrival.machines.filter { $0.ram != nil }
        if !withRAM.isEmpty {
            let stored = StoredCheckpoint(folder: place.partial, machines: withRAM, links: [])
            let damage = try await wait(for: hypervisors[0]) { hypervisor throws(HypervisorError) in
                try await hypervisor.verify(stored)
            }
            guard damage.isEmpty else { throw ControlError(damage) }
        }
        var manifest = archived
        let now = clock.now()
        manifest.tool = CheckpointSet.tool
        manifest.format = CheckpointManifest.currentFormat
        manifest.id = sortableID(at: now)
        manifest.simulation = place.simulation
        manifest.name = place.name
        manifest.operation = OperationID.new(at: now)
        manifest.created = now
        manifest.parent = nil
        manifest.importedFrom = archived.asProvenance
        manifest.spec = arrival.simulation
        manifest.spec.name = place.simulation
        manifest.machines = arrival.machines
        try await publish(manifest, at: place)
        sealLater(place)
        return ImportReport(
            manifest,
            importedFrom: archived.asProvenance,
            reasons: arrival.obstacles,
            notes: arrival.notes
        )
    }

    private func publish(_ manifest: CheckpointManifest, at place: CheckpointSet.Place) async throws(ControlError) {
        // Of bytes that took hours to come nothing is thrown away because somebody looks at the simulation just now.
        try await claimPatiently(place.simulation, .verb("import"))
        defer { release(place.simulation) }
        let set = checkpointSet
        // A sync of gigabytes.
        try await ArchiveThread.run { () throws(ControlError) in
            try set.refuseUnlessComplete(manifest, in: place.partial)
            try set.publish(manifest, at: place)
        }
        do throws(ControlError) {
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
