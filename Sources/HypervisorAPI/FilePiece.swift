/// Some of a file's bytes, and where in it they belong.
public struct FilePiece: Hashable, Sendable {
    /// That one piece has at most.
    public static let mostBytes = 4 << 20

    /// In bytes; of a piece without any, the file's size.
    public var offset: UInt64
    public var bytes: [UInt8]
    /// Of the whole file, in bytes.
    public var size: UInt64

    public init(offset: UInt64, bytes: [UInt8], size: UInt64) {
        self.offset = offset
        self.bytes = bytes
        self.size = size
    }

    /// Where it ends in the file.
    public var end: UInt64 { offset + UInt64(bytes.count) }

    /// Whether it lies in its file, which somebody else may have made up.
    public var isSound: Bool {
        bytes.count <= Self.mostBytes && offset <= size && UInt64(bytes.count) <= size - offset
    }
}
