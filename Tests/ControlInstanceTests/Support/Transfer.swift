import Archive
import FoundationEssentials

@testable import ControlInstance

/// Archives on their way from one control instance to another.
enum Transfer {
    /// - Throws: why it was not written to its end.
    static func archive(_ control: ControlInstance, _ simulation: String, _ checkpoint: String) async throws -> [UInt8]
    {
        let export = try await control.export(simulation, checkpoint)
        var bytes: [UInt8] = []
        try await export.write { bytes += $0 }
        return bytes
    }

    /// An archive of a manifest and files that nobody made sure of.
    static func archive(of manifest: CheckpointManifest, as bytes: [UInt8]? = nil, files: [String: [UInt8]])
        async throws
        -> [UInt8]
    {
        let folder = try TemporaryFolder()
        var items: [ArchiveItem] = []
        for (index, file) in files.sorted(by: { $0.key < $1.key }).enumerated() {
            let source = "\(folder.path)/\(index)"
            try Data(file.value).write(to: URL(filePath: source))
            let archived = ArchivedFile(
                name: file.key,
                bytes: UInt64(file.value.count),
                sha256: HexDigest.sha256(file.value)
            )
            items.append(ArchiveItem(file: archived, source: source))
        }
        let contents = try ArchiveContents(
            tool: "test",
            simulation: "sim",
            checkpoint: "s1",
            id: "id",
            time: 0,
            manifestName: CheckpointSet.manifestName,
            manifest: try bytes ?? CheckpointSet.encode(manifest),
            items: items
        )
        let channel = ByteChannel()
        async let writing: Void = ArchiveThread.run { () throws(ArchiveError) in try contents.write(to: channel) }
        var archive: [UInt8] = []
        while let chunk = await channel.receive() { archive += chunk }
        try await writing
        return archive
    }

    static func take(
        _ bytes: [UInt8],
        _ control: ControlInstance,
        _ request: ImportRequest = ImportRequest()
    ) async throws(ControlError) -> ImportReport {
        let channel = ByteChannel()
        async let sent = { () async -> Bool in
            guard await channel.send(bytes) else { return false }
            channel.finish()
            return true
        }()
        do throws(ControlError) {
            let report = try await control.importCheckpoint(request, from: channel)
            _ = await sent
            return report
        } catch {
            _ = await sent
            throw error
        }
    }
}

extension Bench {
    /// Everything below `checkpoints`.
    var arrived: [String] {
        // Seals come in their own time.
        ((try? FileManager.default.subpathsOfDirectory(atPath: "\(home)/checkpoints")) ?? [])
            .filter { !$0.contains("/seal.json") }.sorted()
    }
}
