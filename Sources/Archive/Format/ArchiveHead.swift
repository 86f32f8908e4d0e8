import FoundationEssentials

/// The first entry: what the archive is, so that a reader can refuse it before it has taken in more than this.
public struct ArchiveHead: Codable, Hashable, Sendable {
    /// ``ArchiveFormat/kind``.
    public var archive: String
    public var format: Int
    /// Name and version of the program that wrote it.
    public var tool: String
    public var simulation: String
    public var checkpoint: String
    /// Of the checkpoint.
    public var id: String
    /// How many files follow, the manifest and the index not counted.
    public var files: Int
    /// Of all files, holes included.
    public var bytes: UInt64
    /// Of all files, without their holes: what the archive takes when it is unpacked.
    public var dataBytes: UInt64

    public init(
        tool: String,
        simulation: String,
        checkpoint: String,
        id: String,
        files: Int,
        bytes: UInt64,
        dataBytes: UInt64
    ) {
        archive = ArchiveFormat.kind
        format = ArchiveFormat.current
        self.tool = tool
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.id = id
        self.files = files
        self.bytes = bytes
        self.dataBytes = dataBytes
    }

    private struct Kind: Decodable {
        var archive: String
        var format: Int
    }

    /// - Throws: for everything that is no head of a format that this release reads.
    public init(parsing bytes: [UInt8]) throws(ArchiveError) {
        let kind: Kind
        do {
            kind = try JSONDecoder().decode(Kind.self, from: Data(bytes))
        } catch {
            throw .corrupt("is none of fermata's: its first entry does not say what it is")
        }
        guard kind.archive == ArchiveFormat.kind else {
            throw .corrupt("is none of a checkpoint: it calls itself '\(kind.archive.prefix(80))'")
        }
        guard (1...ArchiveFormat.current).contains(kind.format) else {
            throw ArchiveError(
                .incompatible,
                "the archive is of format \(kind.format); this release reads up to \(ArchiveFormat.current): use a newer one"
            )
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw .corrupt("has a head that cannot be read")
        }
        guard files >= 0, self.bytes <= ArchiveFormat.largest, dataBytes <= self.bytes else {
            throw .corrupt("announces sizes that cannot be")
        }
    }
}
