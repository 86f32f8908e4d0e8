/// Reads a stream forwards, number by number. Never trusts a length: reading and skipping stop at the end with an error.
struct Cursor<Source: StreamSource> {
    private static var shortestWindow: Int { 64 }
    private static var longestWindow: Int { 1 << 16 }

    let source: Source
    private(set) var position: UInt64
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    private var nextWindow = Self.shortestWindow

    init(_ source: Source, at position: UInt64) {
        self.source = source
        self.position = position
    }

    var remaining: UInt64 { source.size > position ? source.size - position : 0 }

    mutating func seek(to target: UInt64) throws(StreamError) {
        guard target >= position else { throw StreamError(.corrupt, at: position, "it leads back to byte \(target)") }
        guard target <= source.size else {
            throw StreamError(
                .truncated,
                at: position,
                "\(target - position) bytes should follow, the stream ends at byte \(source.size)"
            )
        }
        // Whoever skips pages needs only the few bytes between them.
        if target > windowStart + UInt64(window.count) { nextWindow = Self.shortestWindow }
        position = target
    }

    mutating func skip(_ count: UInt64) throws(StreamError) {
        guard count <= remaining else {
            throw StreamError(
                .truncated,
                at: position,
                "\(count) bytes should follow, the stream ends at byte \(source.size)"
            )
        }
        try seek(to: position + count)
    }

    mutating func byte() throws(StreamError) -> UInt8 { UInt8(truncatingIfNeeded: try number(bytes: 1)) }
    mutating func uint16() throws(StreamError) -> UInt16 { UInt16(truncatingIfNeeded: try number(bytes: 2)) }
    mutating func uint32() throws(StreamError) -> UInt32 { UInt32(truncatingIfNeeded: try number(bytes: 4)) }
    mutating func uint64() throws(StreamError) -> UInt64 { try number(bytes: 8) }

    /// A name behind its length in one byte.
    mutating func countedName() throws(StreamError) -> String {
        let start = position
        return try name(length: Int(byte()), at: start)
    }

    mutating func name(length: Int, at start: UInt64) throws(StreamError) -> String {
        let bytes = try bytes(length)
        guard let name = String(printable: bytes) else {
            throw StreamError(.corrupt, at: start, "a name should stand here, of printable characters")
        }
        return name
    }

    mutating func bytes(_ count: Int) throws(StreamError) -> [UInt8] {
        let first = try fill(count)
        position += UInt64(count)
        return Array(window[first..<first + count])
    }

    /// The next byte, which stays the next one; nil at the end of the stream.
    mutating func peek() throws(StreamError) -> UInt8? {
        remaining == 0 ? nil : window[try fill(1)]
    }

    private mutating func number(bytes count: Int) throws(StreamError) -> UInt64 {
        let first = try fill(count)
        position += UInt64(count)
        return window[first..<first + count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Makes the next `count` bytes lie in the window; gives the index of the first.
    private mutating func fill(_ count: Int) throws(StreamError) -> Int {
        if position >= windowStart, position + UInt64(count) <= windowStart + UInt64(window.count) {
            return Int(position - windowStart)
        }
        guard UInt64(count) <= remaining else {
            throw StreamError(
                .truncated,
                at: position,
                "\(count) bytes should follow, the stream ends at byte \(source.size)"
            )
        }
        let length = Int(min(UInt64(max(count, nextWindow)), remaining))
        window = try source.read(at: position, count: length)
        windowStart = position
        nextWindow = min(nextWindow * 2, Self.longestWindow)
        return 0
    }
}

extension String {
    /// nil unless all of the bytes are printable ASCII, as QEMU's names are, and there are any.
    init?(printable bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        self = String(decoding: bytes, as: UTF8.self)
    }
}
