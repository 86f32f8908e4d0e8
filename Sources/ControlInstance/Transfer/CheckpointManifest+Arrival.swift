import Archive
import HypervisorAPI

extension CheckpointManifest {
    /// What an archive's manifest has to be beyond what every manifest has to: it names all that comes, and nothing else.
    func archivedFiles(_ head: ArchiveHead) throws(ControlError) -> [ArchivedFile] {
        func corrupt(_ what: String) -> ControlError {
            ControlError(code: "archive-corrupt", message: "the archive's manifest \(what)", exitCode: 6)
        }
        guard simulation == head.simulation, name == head.checkpoint, id == head.id else {
            throw corrupt("is of \(simulation)@\(name), its head of another checkpoint")
        }
        guard spec.name == simulation, Set(spec.machines.map(\.name)).isSuperset(of: machines.map(\.name)) else {
            throw corrupt("describes another simulation than it has machines of")
        }
        for disk in machines.flatMap(\.disks) where !disk.backingFiles.isEmpty {
            throw corrupt("has a disk '\(disk.id)' that lies on images of another host")
        }
        var archived: [ArchivedFile] = []
        for file in files {
            guard ["machines/", "links/"].contains(where: { file.path.hasPrefix($0) }) else {
                throw corrupt("has the file '\(file.path)', which is in no place of a checkpoint's")
            }
            guard let sha256 = file.sha256 else { throw corrupt("has no digest of \(file.path)") }
            guard file.bytes <= head.bytes else { throw corrupt("has more bytes than the archive announces") }
            // Another kind of digest, compared when it has arrived.
            archived.append(
                ArchivedFile(name: file.path, bytes: file.bytes, sha256: file.role == .ram ? nil : sha256)
            )
        }
        guard archived.count == head.files, bytes == head.bytes else {
            throw corrupt("has other files than the archive announces")
        }
        return archived
    }

    var asProvenance: Provenance {
        Provenance(id: id, simulation: simulation, name: name, hosts: Set(machines.map(\.host)).sorted())
    }
}
