import HypervisorAPI

/// Which of a file's bytes a message has, as HTTP says it (RFC 9110, 14.4): `bytes 0-4095/8192`, and of none `bytes */8192`.
struct ContentRange: Hashable, Sendable {
    /// nil: none.
    var bytes: ClosedRange<UInt64>?
    var size: UInt64

    init(_ piece: FilePiece) {
        bytes = piece.bytes.isEmpty ? nil : piece.offset...piece.end - 1
        size = piece.size
    }

    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /bytes (?:([0-9]+)-([0-9]+)|\*)\/([0-9]+)/), let size = UInt64(match.3)
        else { return nil }
        self.size = size
        guard let first = match.1, let last = match.2 else { return }
        guard let first = UInt64(first), let last = UInt64(last), first <= last, last < size else { return nil }
        bytes = first...last
    }

    var text: String { "bytes \(bytes.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "*")/\(size)" }

    /// - Returns: nil when these are not as many bytes.
    func piece(_ found: [UInt8]) -> FilePiece? {
        let count = bytes.map { $0.upperBound - $0.lowerBound + 1 } ?? 0
        let piece = FilePiece(offset: bytes?.lowerBound ?? size, bytes: found, size: size)
        return UInt64(found.count) == count && piece.isSound ? piece : nil
    }
}
