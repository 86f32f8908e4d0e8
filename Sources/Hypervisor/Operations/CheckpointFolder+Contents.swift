import FoundationEssentials
import Glibc
import HypervisorAPI

extension CheckpointFolder {
    /// Freezes a machine's disks into the folder.
    func freeze(
        _ disks: [MachineRecord.RunningDisk],
        of record: MachineRecord
    ) async throws(HypervisorError) -> [FrozenDisk] {
        var frozen: [FrozenDisk] = []
        for disk in disks {
            let name = "machines/\(record.name)/disk-\(disk.id).\(disk.format)"
            frozen.append(try await DiskLayers().freeze(disk, into: path, as: name).disk)
        }
        return frozen
    }

    /// Gives this checkpoint the same layers as another one has: a second name for each file, since nobody writes them.
    func share(_ disks: [FrozenDisk], from source: CheckpointFolder) async throws(HypervisorError) -> [FrozenDisk] {
        for disk in disks where !disk.file.path.hasPrefix("/") { try await share(disk.file, from: source) }
        return disks
    }

    func share(_ shared: CheckpointFile, from source: CheckpointFolder) async throws(HypervisorError) {
        let (original, target) = (try source.file(shared.path), try file(shared.path))
        if link(original, target) != 0 { _ = try await FileCopy.copy(from: original, to: target) }
    }

    /// Keeps what paused machines had not read from their links.
    func saveLinks(_ found: [LinkLeftovers.Found]) async throws(HypervisorError) -> [LinkCheckpoint] {
        var links: [LinkCheckpoint] = []
        for piece in found.map(\.traffic) where !piece.isEmpty {
            // A name has no dot in it: two links cannot have the same file.
            let name = "links/\(piece.link).\(piece.towards).bin"
            let bytes = piece.bytes
            try DurableFile.write(bytes, to: "\(path)/\(name)")
            let digest = try await FileDigest.sha256(of: "\(path)/\(name)")
            links.append(
                LinkCheckpoint(
                    link: piece.link,
                    towards: piece.towards,
                    file: CheckpointFile(role: .link, path: name, bytes: UInt64(bytes.count), sha256: digest),
                    frameSizes: piece.frames.map(\.count)
                )
            )
        }
        return links
    }

    /// - Throws: when the file is not the one that was saved: size, digest and frames are compared before a byte is used.
    func linkTraffic(_ link: LinkCheckpoint, kind: LinkSpec.Kind) throws(HypervisorError) -> LinkTraffic {
        let path = try file(link.file.path)
        func refuse(_ what: String) -> HypervisorError {
            HypervisorError(code: "checkpoint-corrupt", message: "\(path) \(what)")
        }
        guard access(path, F_OK) == 0 else { throw refuse("is missing") }
        // Before it is read: a file that grew may be of any size.
        let size = try FileDigest.size(of: path)
        guard size == link.file.bytes else {
            throw refuse("has \(size) bytes; the checkpoint was sealed with \(link.file.bytes)")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw refuse("cannot be read") }
        let bytes = [UInt8](data)
        var digest = RunningDigest()
        digest.update(bytes)
        guard digest.hex == link.file.sha256 else { throw refuse("is not what the checkpoint was sealed with") }
        guard link.frameSizes.allSatisfy({ $0 > 0 && $0 <= bytes.count }), link.frameSizes.reduce(0, +) == bytes.count
        else { throw refuse("does not hold the frames that the manifest names") }
        var rest = bytes[...]
        let frames = link.frameSizes.map { size in
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
        return LinkTraffic(link: link.link, kind: kind, towards: link.towards, frames: frames)
    }

    /// Why a file is not what the manifest says; empty when it is.
    func differences(of expected: CheckpointFile) async -> [String] {
        do throws(HypervisorError) {
            let path = expected.path.hasPrefix("/") ? expected.path : try file(expected.path)
            let size = try FileDigest.size(of: path)
            guard size == expected.bytes else { return ["\(path) has \(size) bytes instead of \(expected.bytes)"] }
            guard let sha256 = expected.sha256 else { return [] }
            let digest = try await expected.role == .ram ? RAMDigest.of(path) : FileDigest.sha256(of: path)
            return digest == sha256 ? [] : ["\(path) has the digest \(digest) instead of \(sha256)"]
        } catch {
            return error.reasons.map(\.message)
        }
    }
}
