import Archive
import FoundationEssentials
import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// Where exports put what they have to make; nothing in it outlives a daemon.
    var exportsFolder: String { "\(home)/exports" }

    /// Clears away what an earlier instance had under way, here and on the other hosts.
    func removeExports() throws(ControlError) {
        guard DurableFolder.exists(exportsFolder) else { return }
        for name in try DurableFolder.names(in: exportsFolder) {
            let scratch = "\(exportsFolder)/\(name)"
            let unfinished = moved(by: scratch)
            for hypervisor in hypervisors.dropFirst() {
                removeScratch(scratch, on: hypervisor)
                if let unfinished { withdrawLater(unfinished, [unfinished.partial], from: hypervisor.host) }
            }
        }
        try DurableFolder.remove(exportsFolder)
    }

    /// Removes what a host made for an export, as soon as it can be reached.
    func removeScratch(_ folder: String, on hypervisor: any Hypervisor) {
        let options = options
        let host = hypervisor.host
        Task { [weak self] in
            var pause = options.settlePause
            while let self, let hypervisor = self.hypervisor(of: host) {
                let removed: Void? = try? await self.work(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.removeCheckpoint(folder: folder)
                }
                if removed != nil { return }
                try? await Task.sleep(for: pause.duration)
                pause = min(pause + pause, options.longestSettlePause)
            }
        }
    }

    /// Makes a checkpoint ready to leave as an archive: everything is found or made, and compared with what was saved, but for the
    /// files that are digested while they are written.
    /// - Throws: when there is none of that name, or something of it is missing or damaged (exit code 6).
    public func export(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointExport {
        _ = try await checkpointRecord(checkpoint, of: simulation)
        let title = "\(simulation)@\(checkpoint)"
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        try begin(.exported, place)
        let scratch = ExportScratch(path: "\(exportsFolder)/\(sortableID(at: clock.now()))") { [weak self] in
            self?.end(.exported, place)
        }
        try scratch.create()
        try await sealed(place)
        var manifest = try checkpointSet.load(place)
        var machines: [MachineCheckpoint] = []
        var sources = Dictionary(manifest.links.map { ($0.file.path, "\(place.final)/\($0.file.path)") }) { $1 }
        for (hypervisor, stored) in try stored(manifest, at: place.final) {
            let alone = try await standalone(stored, of: hypervisor, in: scratch.path)
            machines += alone.machines
            sources.merge(alone.sources.mapValues(\.absolute)) { $1 }
        }
        // In the manifest's order, whatever the hosts' is.
        manifest.machines = manifest.machines.compactMap { old in machines.first { $0.name == old.name } }
        manifest.format = CheckpointManifest.currentFormat
        manifest.parent = nil
        var items: [ArchiveItem] = []
        for file in manifest.files {
            guard let sha256 = file.sha256, let source = sources[file.path] else {
                throw .sourceMissing(file, of: title)
            }
            let archived = ArchivedFile(
                name: file.path,
                bytes: file.bytes,
                sha256: file.role == .ram ? nil : sha256
            )
            items.append(ArchiveItem(file: archived, source: source))
        }
        let bytes = try CheckpointSet.encode(manifest)
        do throws(ArchiveError) {
            let contents = try ArchiveContents(
                tool: CheckpointSet.tool,
                simulation: simulation,
                checkpoint: checkpoint,
                id: manifest.id,
                time: manifest.created.nanosecondsSinceEpoch / 1_000_000_000,
                manifestName: CheckpointSet.manifestName,
                manifest: bytes,
                items: items
            )
            return CheckpointExport(contents, simulation: simulation, checkpoint: checkpoint, scratch: scratch)
        } catch {
            throw ControlError(error, of: title)
        }
    }

    /// A host's part of a checkpoint, made to stand alone, all of it on this host: what lies on another one is brought into the scratch
    /// folder, and compared.
    private func standalone(
        _ stored: StoredCheckpoint,
        of hypervisor: any Hypervisor,
        in scratch: String
    ) async throws(ControlError) -> StandaloneCheckpoint {
        let isHere = hypervisor.host == ownHost
        let order = DepartureOrder(checkpoint: stored, scratch: scratch, gathers: !isHere)
        do throws(ControlError) {
            var alone = try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.makeStandalone(order)
            }
            if isHere { return alone }
            let arrived = StoredCheckpoint(folder: scratch, machines: alone.machines, links: stored.links)
            for file in arrived.files {
                guard let source = alone.sources[file.path] else { throw .sourceMissing(file, of: hypervisor.host) }
                let target = FilePlace(folder: scratch, path: file.path)
                try await bring(source, from: hypervisor, to: target, on: hypervisors[0], bytes: file.bytes)
                alone.sources[file.path] = target
            }
            removeScratch(scratch, on: hypervisor)
            let damage = try await wait(for: hypervisors[0]) { hypervisor throws(HypervisorError) in
                try await hypervisor.verify(arrived)
            }
            guard damage.isEmpty else { throw ControlError(damage) }
            return alone
        } catch {
            if !isHere { removeScratch(scratch, on: hypervisor) }
            throw error
        }
    }
}
