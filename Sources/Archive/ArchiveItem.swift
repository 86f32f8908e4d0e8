/// A file to be archived.
public struct ArchiveItem: Hashable, Sendable {
    public var file: ArchivedFile
    /// Absolute path of where it lies.
    public var source: String

    public init(file: ArchivedFile, source: String) {
        self.file = file
        self.source = source
    }
}
