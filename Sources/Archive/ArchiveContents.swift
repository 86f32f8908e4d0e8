/// Everything that goes into one archive, in order.
public struct ArchiveContents: Sendable {
    public let head: ArchiveHead
    /// Name and bytes of the second entry, which tells what the files are.
    public let manifestName: String
    public let manifest: [UInt8]
    public let items: [ArchiveItem]
    /// What tar shows as the time of every entry: seconds since the epoch.
    private let time: Int64

    /// - Throws: when a file cannot be read.
    public init(
        tool: String,
        simulation: String,
        checkpoint: String,
        id: String,
        time: Int64,
        manifestName: String,
        manifest: [UInt8],
        items: [ArchiveItem]
    ) throws(ArchiveError) {
        var (bytes, dataBytes) = (UInt64(0), UInt64(0))
        for item in items {
            bytes += item.file.bytes
            dataBytes += try DataRegions.bytes(of: item.source)
        }
        head = ArchiveHead(
            tool: tool,
            simulation: simulation,
            checkpoint: checkpoint,
            id: id,
            files: items.count,
            bytes: bytes,
            dataBytes: dataBytes
        )
        self.manifestName = manifestName
        self.manifest = manifest
        self.items = items
        self.time = time
    }

    /// Writes all of it; what was written is no whole archive unless this returns.
    /// - Throws: when a file is not (any more) what it is said to be, or whoever reads has gone.
    public func write(to channel: ByteChannel) throws(ArchiveError) {
        let writer = try ArchiveWriter(output: channel, time: time)
        try writer.add(head)
        try writer.add(manifest, named: manifestName)
        for item in items { try writer.add(item) }
        try writer.finish()
        channel.finish()
    }
}
