import Glibc
public import HypervisorAPI

extension LocalHypervisor {
    public func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        let folder = CheckpointFolder(path: order.checkpoint.folder)
        // One after the other: each reads its disks as fast as the host can.
        var departures: [Departure] = []
        for machine in order.checkpoint.machines {
            var departure = Departure(machine, order, layers: surroundings.disks)
            try await departure.gather()
            departures.append(departure)
        }
        var sources = departures.reduce(into: [String: FilePlace]()) { $0.merge($1.sources) { first, _ in first } }
        for link in order.checkpoint.links { sources[link.file.path] = try folder.place(link.file.path) }
        return StandaloneCheckpoint(machines: departures.map(\.machine), sources: sources)
    }

    public func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        try await PlacedFile.read(file, from: offset)
    }

    public func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) {
        guard let arriving = ArrivalFolder(file.folder) else { return try await PlacedFile.write(piece, to: file) }
        try await arriving.write(piece, to: file)
    }

    public func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        guard let arriving = ArrivalFolder(order.checkpoint.folder) else { return try await fitted(order) }
        var order = order
        order.checkpoint.folder =
            order.joins ? try await arriving.take(order.checkpoint.files) : try await arriving.take()
        let folder = CheckpointFolder(path: order.checkpoint.folder)
        do throws(HypervisorError) {
            if !order.joins { try folder.refuseUnlisted(order.checkpoint.files) }
            let arrival = try await fitted(order)
            try await folder.syncAll()
            return arrival
        } catch {
            try? folder.remove()
            throw error
        }
    }

    private func fitted(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        var arrival = Arrival(simulation: order.simulation, machines: [], obstacles: [], notes: [])
        arrival.simulation.keepAddresses(of: arrival.simulation.name, digest: StableName.sha256)
        for machine in order.checkpoint.machines { try await fit(machine, order, &arrival) }
        for index in arrival.simulation.machines.indices {
            guard let machine = arrival.machines.first(where: { $0.name == arrival.simulation.machines[index].name })
            else { continue }
            arrival.simulation.machines[index] = machine.launch.spec
        }
        for resource in arrival.simulation.resources {
            arrival.notes.append(
                "the resource \(resource.name) runs a command of the archive's here: \(resource.acquire.joined(separator: " "))"
            )
        }
        return arrival
    }

    private func fit(
        _ saved: MachineCheckpoint,
        _ order: ArrivalOrder,
        _ arrival: inout Arrival
    ) async throws(HypervisorError) {
        var machine = saved
        let folder = CheckpointFolder(path: order.checkpoint.folder)
        let looksAround = order.limits?.looksAround ?? true
        machine.host = host
        machine.launch.spec.host = nil
        machine.launchFiles = []
        for file in saved.launchFiles ?? [] {
            if looksAround, await isHere(file) {
                unlink(try folder.file(file.file.path))
            } else {
                machine.launch.replace(file.original, by: "\(order.finalFolder)/\(file.file.path)")
                machine.launchFiles?.append(file)
            }
        }
        for disk in saved.disks { try await refuseUnlessAlone(disk, in: folder) }
        if machine.launchFiles?.isEmpty == true {
            machine.launchFiles = nil
            rmdir(try folder.file("machines/\(machine.name)/launch"))
        }
        var problems = ReasonList(of: machine.name)
        let binary = problems.attempt { () throws(HypervisorError) in
            try ArrivalBinaries(named: order.binaries, limits: order.limits).binary(for: saved.launch.spec.qemu)
        }
        if let binary {
            if binary != saved.launch.spec.qemu {
                arrival.notes.append("\(machine.name): goes on with \(binary) instead of \(saved.launch.spec.qemu)")
            }
            machine.launch.use(binary)
            problems.add(await Self.obstacles(to: machine, folder, binary, surroundings.probe))
        }
        for path in machine.launch.otherPaths where looksAround && access(path, F_OK) != 0 {
            arrival.notes.append("\(machine.name): its arguments name \(path), which is not here")
        }
        arrival.obstacles += problems.reasons
        arrival.machines.append(machine)
    }

    /// An image says by itself on what it lies, whatever a manifest says: a guest must not read this host's files through it.
    private func refuseUnlessAlone(_ disk: FrozenDisk, in folder: CheckpointFolder) async throws(HypervisorError) {
        let path = try folder.file(disk.file.path)
        guard disk.format != "raw" else { return }
        guard disk.format == "qcow2" else {
            throw HypervisorError(
                code: "archive-corrupt",
                message: "the disk '\(disk.id)' is of the format '\(disk.format)', which no export writes"
            )
        }
        let image = try await surroundings.disks.inspect(path, format: disk.format)
        if let other = image.backingFile ?? image.dataFile {
            throw HypervisorError(
                code: "archive-corrupt",
                message: "the disk '\(disk.id)' lies on \(other), which is of another host"
            )
        }
    }

    private static func obstacles(
        to machine: MachineCheckpoint,
        _ folder: CheckpointFolder,
        _ binary: String,
        _ probe: QEMUProbe
    ) async -> [Reason] {
        var problems = ReasonList(of: machine.name)
        let facts = await problems.attempt { () async throws(HypervisorError) in
            try await probe.facts(of: binary)
        }
        let state = await problems.attempt { () async throws(HypervisorError) in try await folder.state(of: machine) }
        if let facts {
            problems.add(machine.obstacles(to: facts, state))
            problems.add(await HostFitness(facts: facts).obstacles(to: machine))
        }
        return problems.reasons
    }

    /// Whether the very file lies here under its old path.
    private func isHere(_ file: LaunchFile) async -> Bool {
        var status = stat()
        guard file.original.hasPrefix("/"), stat(file.original, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            UInt64(status.st_size) == file.file.bytes
        else { return false }
        return await (try? FileDigest.sha256(of: file.original)) == file.file.sha256
    }
}

extension LaunchRecord {
    fileprivate mutating func use(_ binary: String) {
        spec.qemu = binary
        if let adopted = adoptedArguments, let line = AdoptedCommandLine(arguments: adopted) {
            adoptedArguments = [binary] + adopted.dropFirst(line.program.count)
        }
    }
}
