import Glibc
public import Time

/// What became of one shot.
public struct ShotReport: Hashable, Sendable {
    /// The instant less the shot's lead: it does not leave before.
    public var due: HostInstant
    /// What CLOCK_REALTIME read right before the write; nil when nothing was written.
    public var writtenAt: HostInstant?
    /// Why the peer did not get all the bytes; nil when the kernel took them, or nothing was written.
    public var failure: ShotFailure?

    public init(due: HostInstant, writtenAt: HostInstant? = nil, failure: ShotFailure? = nil) {
        self.due = due
        self.writtenAt = writtenAt
        self.failure = failure
    }

    /// How long after `due` it left.
    public var lateness: Span? { writtenAt.map { $0 - due } }
}

/// Why a peer did not get a whole shot.
public enum ShotFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The write failed with this errno: EPIPE and ECONNRESET when the peer is gone, EAGAIN when it does not read.
    case refused(errno: Int32)
    /// The peer's buffer took a part: what follows on this connection would be read as the rest of this message.
    case cutShort(written: Int, of: Int)

    public var description: String {
        switch self {
        case .refused(let code) where code == EAGAIN:
            "the peer does not read and its buffer is full (EAGAIN)"
        case .refused(let code):
            "the write failed: \(errorText(code))"
        case .cutShort(let written, let length):
            "only \(written) of \(length) bytes were taken: close this connection"
        }
    }
}
