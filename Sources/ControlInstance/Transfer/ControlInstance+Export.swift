import Archive
import FoundationEssentials
import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// Where exports put what they have to make; nothing in it outlives a daemon.
    var exportsFolder: String { "\(home)/exports" }

    /// Makes a checkpoint ready to leave as an archive: everything is found or made, and compared with what was saved, but for the
    /// files that are digested while they are written.
    /// - Throws: when there is none of that name, or something of it is missing or damaged (exit code 6).
    public func export(_ simulation: String, _ checkpoint: String) async throws(ControlError) -> CheckpointExport {
        _ = try await checkpointRecord(checkpoint, of: simulation)
        let title = "\(simulation)@\(checkpoint)"
        let place = checkpointSet.place(of: checkpoint, simulation: simulation)
        var manifest = try await sealed(try checkpointSet.load(place), at: place)
        let scratch = try ExportScratch(path: "\(exportsFolder)/\(sortableID(at: clock.now()))")
        var machines: [MachineCheckpoint] = []
        var sources = Dictionary(manifest.links.map { ($0.file.path, "\(place.final)/\($0.file.path)") }) { $1 }
        for (hypervisor, stored) in try stored(manifest, at: place.final) {
            let path = scratch.path
            let alone = try await work(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.makeStandalone(stored, scratch: path)
            }
            machines += alone.machines
            sources.merge(alone.sources) { $1 }
        }
        // In the manifest's order, whatever the hosts' is.
        manifest.machines = manifest.machines.compactMap { old in machines.first { $0.name == old.name } }
        manifest.format = CheckpointManifest.currentFormat
        manifest.parent = nil
        var items: [ArchiveItem] = []
        for file in manifest.files {
            guard let sha256 = file.sha256, let source = sources[file.path] else {
                throw ControlError(
                    code: "report-incomplete",
                    message: "nobody says where \(file.path) of \(title) lies"
                )
            }
            let archived = ArchivedFile(name: file.path, bytes: file.bytes, sha256: sha256)
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

    /// The manifest with every digest: brings in what is still elsewhere of a checkpoint that is not sealed yet.
    private func sealed(
        _ manifest: CheckpointManifest,
        at place: CheckpointSet.Place
    ) async throws(ControlError) -> CheckpointManifest {
        guard manifest.files.contains(where: { $0.sha256 == nil }) else { return manifest }
        var files: [CheckpointFile] = []
        for (hypervisor, stored) in try stored(manifest, at: place.final) {
            files += try await work(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.seal(stored)
            }
        }
        return manifest.sealed(by: files)
    }
}

extension CheckpointManifest {
    /// - Parameter files: some of its own, with digests.
    fileprivate func sealed(by files: [CheckpointFile]) -> CheckpointManifest {
        let digests = Dictionary(files.map { ($0.path, $0.sha256) }) { $1 }
        func seal(_ file: inout CheckpointFile) {
            if file.sha256 == nil, let digest = digests[file.path] { file.sha256 = digest }
        }
        var manifest = self
        for machine in manifest.machines.indices {
            seal(&manifest.machines[machine].state)
            if var ram = manifest.machines[machine].ram {
                seal(&ram)
                manifest.machines[machine].ram = ram
            }
            for disk in manifest.machines[machine].disks.indices { seal(&manifest.machines[machine].disks[disk].file) }
        }
        return manifest
    }
}
