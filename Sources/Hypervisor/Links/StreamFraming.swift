/// Finds frames in the bytes of a `stream` netdev: each has its length in front, 4 bytes big-endian.
enum StreamFraming {
    /// Longest frame that QEMU sends.
    private static let longest = 4096 + 65536
    /// An Ethernet header; QEMU pads shorter ones.
    private static let shortest = 14

    /// What a reader that begins a new stream must get: from the first whole frame to the end of the last.
    ///
    /// A machine that stopped in the middle of a frame has the frame's beginning in its memory, which ends with its process;
    /// one that stopped sending in the middle of a frame does not finish it. Either would put the new stream out of step for
    /// ever, and a lost frame is what networks can bear.
    static func wholeFrames(in bytes: [UInt8]) -> [UInt8] {
        for start in 0..<min(bytes.count, longest) {
            if let end = endOfFrames(in: bytes, from: start), end > start { return Array(bytes[start..<end]) }
        }
        return []
    }

    /// - Returns: where the last whole frame ends; nil when what is there are not frames.
    private static func endOfFrames(in bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while bytes.count - position >= 4 {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard (shortest...longest).contains(length) else { return nil }
            if bytes.count - position - 4 < length { return position }
            position += 4 + length
        }
        return position
    }
}
