@testable import Archive

/// Writing and reading of whole archives, as a control instance does it.
enum Packing {
    static let manifest = Array("{\"machines\": []}\n".utf8)

    static func digest(_ bytes: [UInt8]) -> String {
        var digest = ArchiveDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.hex
    }

    static func item(_ name: String, in folder: Folder, as archived: String? = nil) throws -> ArchiveItem {
        let bytes = try folder.bytes(name)
        return ArchiveItem(
            file: ArchivedFile(name: archived ?? name, bytes: UInt64(bytes.count), sha256: digest(bytes)),
            source: "\(folder.path)/\(name)"
        )
    }

    static func contents(_ items: [ArchiveItem]) throws -> ArchiveContents {
        try ArchiveContents(
            tool: "test",
            simulation: "lab",
            checkpoint: "s1",
            id: "id",
            time: 1_700_000_000,
            manifestName: "checkpoint.json",
            manifest: manifest,
            items: items
        )
    }

    /// - Parameter whileWriting: called when the first bytes have come.
    static func pack(_ contents: ArchiveContents) async -> (bytes: [UInt8], error: ArchiveError?) {
        let channel = ByteChannel()
        async let error = { () async -> ArchiveError? in
            do throws(ArchiveError) {
                try await ArchiveThread.run { () throws(ArchiveError) in
                    defer { channel.finish() }
                    try contents.write(to: channel)
                }
                return nil
            } catch {
                return error
            }
        }()
        var bytes: [UInt8] = []
        while let chunk = await channel.receive() { bytes += chunk }
        return (bytes, await error)
    }

    /// Reads a whole archive of some files into a folder.
    /// - Parameter more: what else the sender sends, as long as it is asked for.
    /// - Returns: what the sender got rid of, in bytes, and why the archive was refused.
    @discardableResult
    static func unpack(
        _ bytes: [UInt8],
        _ files: [ArchivedFile],
        into folder: String,
        more: (@Sendable () -> [UInt8])? = nil
    ) async -> (sent: Int, error: ArchiveError?) {
        let channel = ByteChannel(capacity: 64 << 10)
        async let sent = { () async -> Int in
            var sent = 0
            for start in stride(from: 0, to: bytes.count, by: 10_000) {
                let chunk = Array(bytes[start..<min(start + 10_000, bytes.count)])
                guard await channel.send(chunk) else { return sent }
                sent += chunk.count
            }
            while let chunk = more?() {
                guard await channel.send(chunk) else { return sent }
                sent += chunk.count
            }
            channel.finish()
            return sent
        }()
        let error: ArchiveError?
        do throws(ArchiveError) {
            try await ArchiveThread.run { () throws(ArchiveError) in
                defer { channel.cancel() }
                let reader = try ArchiveReader(channel)
                _ = try reader.head()
                _ = try reader.document("checkpoint.json", limit: 1 << 20)
                try reader.extract(files, into: folder)
                try reader.finish()
            }
            error = nil
        } catch let refusal {
            error = refusal
        }
        return (await sent, error)
    }
}
