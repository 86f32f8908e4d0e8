/// A file on its way from host to host, a piece after the other, whoever carries it.
public struct FileWay: Hashable, Sendable {
    /// How large it has to be.
    public let bytes: UInt64
    /// All before it is there.
    public private(set) var position: UInt64
    /// That were carried, without holes.
    public private(set) var sent: UInt64 = 0

    /// - Parameter position: how far it came before.
    public init(bytes: UInt64, from position: UInt64 = 0) {
        self.bytes = bytes
        self.position = position
    }

    public var isThrough: Bool { position >= bytes }

    /// - Parameter piece: what came when the file was read from ``position`` on.
    /// - Returns: whether it is to be written: one that is all hole comes in no piece, and is made by the first all the same.
    /// - Throws: `checkpoint-corrupt` when it is of another file than the one that was announced.
    public func needsWriting(_ piece: FilePiece) throws(HypervisorError) -> Bool {
        guard piece.isSound, piece.offset >= position, piece.size == bytes else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                message: "it has \(piece.size) bytes instead of \(bytes)"
            )
        }
        return !piece.bytes.isEmpty || position == 0
    }

    /// A piece, or the hole at the end, is where it belongs.
    public mutating func advance(behind piece: FilePiece) {
        position = piece.end
        sent += UInt64(piece.bytes.count)
    }
}
