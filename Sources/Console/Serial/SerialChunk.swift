/// Some of what came out of a serial port.
struct SerialChunk: Hashable, Sendable {
    /// Of all that ever came out of it: where this ends.
    let end: UInt64
    let bytes: [UInt8]
}
