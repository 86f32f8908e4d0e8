/// One file of an archive.
public struct ArchivedFile: Codable, Hashable, Sendable {
    /// Relative, without `.`, `..` or empty parts.
    public var name: String
    /// Holes included.
    public var bytes: UInt64
    /// Lower-case hex of all of it; nil when only reading it tells.
    public var sha256: String?

    public init(name: String, bytes: UInt64, sha256: String?) {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
    }
}
