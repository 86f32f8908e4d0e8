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
            let path = scratch.path
            let alone = try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
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
}
