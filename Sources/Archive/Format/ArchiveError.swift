/// Why an archive could not be written or read. The description is a sentence for people.
public struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// It is no archive, or not a whole one, or holds what it must not.
        case corrupt
        /// Its format is a later one.
        case incompatible
        /// A file that was to be archived is not what it was said to be.
        case source
        /// A file cannot be written here.
        case storage
        /// The volume is full.
        case noSpace
        /// Whoever gave or took the bytes has gone.
        case cut
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static let senderGone = ArchiveError(.cut, "the archive's sender has gone before its end")

    static func corrupt(_ what: String) -> ArchiveError { ArchiveError(.corrupt, "the archive \(what)") }
}
