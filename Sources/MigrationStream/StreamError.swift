/// Why a stream could not be read, or not be patched.
public struct StreamError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Codable, Hashable, Sendable {
        /// The bytes do not begin as QEMU's streams do.
        case notACheckpoint
        /// The bytes end before what they announce.
        case truncated
        /// The bytes contradict themselves.
        case corrupt
        /// A stream that QEMU writes, of a form that cannot be taken apart.
        case unsupported
        /// More sections, fields or bytes of description than any machine has.
        case tooLarge
        /// A patch outside the device payloads, over another one, or over bytes other than it names.
        case patchRefused
        /// A field that is not there, or not of the size asked for.
        case noSuchField
        /// The system refused to read or write.
        case ioFailure
    }

    public let kind: Kind
    /// Where in the stream, bytes from its beginning, if there is one place.
    public let offset: UInt64?
    /// The section it happened in, as the stream names it, if it is known.
    public let section: String?
    /// What happened and, if there is something, what to do; a part of a sentence.
    public let reason: String

    init(_ kind: Kind, at offset: UInt64? = nil, in section: String? = nil, _ reason: String) {
        self.kind = kind
        self.offset = offset
        self.section = section
        self.reason = reason
    }

    public var description: String {
        let subject =
            switch kind {
            case .notACheckpoint: "this is not a QEMU checkpoint"
            case .truncated: "the checkpoint is truncated"
            case .corrupt: "the checkpoint is corrupt"
            case .unsupported: "the checkpoint is of a form that cannot be read"
            case .tooLarge: "the checkpoint exceeds a limit"
            case .patchRefused: "the patch is refused"
            case .noSuchField: "the checkpoint has no such field"
            case .ioFailure: "the checkpoint cannot be accessed"
            }
        let place =
            switch (offset, section) {
            case (let offset?, let section?): " at byte \(offset) in section \(section)"
            case (let offset?, nil): " at byte \(offset)"
            case (nil, let section?): " in section \(section)"
            case (nil, nil): ""
            }
        return "\(subject)\(place): \(reason)"
    }
}
