/// A stream, or the end of one, in memory.
public struct MemorySource: StreamSource {
    private let bytes: [UInt8]
    /// Offset of the first byte held. What lies before it cannot be read.
    public let start: UInt64
    public let size: UInt64

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        start = 0
        size = UInt64(bytes.count)
    }

    /// The end of a stream whose beginning is somewhere else, such as already sent.
    ///
    /// - Parameter start: where in the whole stream the first of these bytes lies.
    public init(tail bytes: [UInt8], at start: UInt64) throws(StreamError) {
        let (size, overflow) = start.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow else {
            throw StreamError(.corrupt, at: start, "a stream cannot reach beyond 2^64 bytes")
        }
        self.bytes = bytes
        self.start = start
        self.size = size
    }

    public func read(at offset: UInt64, count: Int) throws(StreamError) -> [UInt8] {
        guard offset >= start else {
            throw StreamError(.truncated, at: offset, "only the bytes from \(start) on are held here")
        }
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
            throw StreamError(.truncated, at: offset, "\(count) bytes are needed, the stream ends at byte \(size)")
        }
        let first = Int(offset - start)
        return Array(bytes[first..<first + count])
    }
}
