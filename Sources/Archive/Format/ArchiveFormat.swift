/// The names and limits of the archive format; docs/checkpoint-format.md describes it.
public enum ArchiveFormat {
    /// Of all files of a checkpoint, holes included, in bytes: a number, not a checkpoint, when it is more.
    static let largest: UInt64 = 1 << 50
    /// Written by this release. A newer one is refused, since its meaning is not known.
    public static let current = 1
    /// What the head calls the kind of archive.
    public static let kind = "fermata-checkpoint"
    /// The first entry.
    public static let headName = "archive.json"
    /// The last entry: without it the archive was cut.
    public static let indexName = "archive-index.json"

    static let headLimit = 64 << 10
    /// Some 200 bytes a file, of a hundred thousand files.
    static let indexLimit = 32 << 20
    /// What may follow the tar's end: its own padding, compressed, and nothing of anybody's.
    static let paddingLimit = 64 << 10
}
