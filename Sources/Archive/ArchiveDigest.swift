import Crypto

/// SHA-256 of an entry as it comes by.
struct ArchiveDigest {
    private static let digits = Array("0123456789abcdef")
    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    /// A hole is as many zeros.
    mutating func update(zeros count: UInt64) {
        var rest = count
        while rest > 0 {
            let step = min(rest, UInt64(Self.zeros.count))
            Self.zeros.withUnsafeBytes {
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<Int(step)]))
            }
            rest -= step
        }
    }

    /// Lower-case hex.
    var hex: String { String(hash.finalize().flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }) }
}
