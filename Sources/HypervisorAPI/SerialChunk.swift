public import Time

/// Some of what came out of a serial port.
public struct SerialChunk: Hashable, Sendable {
    /// That one has, in bytes.
    public static let mostBytes = 64 << 10
    /// For more to come, before one without bytes is given.
    public static let patience = Span.seconds(2)

    /// Of all that ever came out of it: where this ends.
    public var end: UInt64
    public var bytes: [UInt8]
    /// Whether a process of the machine lives, which may say more.
    public var runs: Bool

    public init(end: UInt64, bytes: [UInt8], runs: Bool) {
        self.end = end
        self.bytes = bytes
        self.runs = runs
    }

    /// Whether it can be what it says, which somebody else may have made up.
    public var isSound: Bool { bytes.count <= Self.mostBytes && UInt64(bytes.count) <= end }
}
