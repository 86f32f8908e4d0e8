import Crypto

/// SHA-256 of bytes as they come by.
struct RunningDigest: Sendable {
    private static let digits = Array("0123456789abcdef")

    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { hash.update(bufferPointer: $0) } }

    mutating func updateWithZeros(_ count: Int) {
        var rest = count
        while rest > 0 {
            let step = min(rest, Self.zeros.count)
            Self.zeros[..<step].withUnsafeBytes { hash.update(bufferPointer: $0) }
            rest -= step
        }
    }

    /// Of all bytes so far, lower-case hex, as checkpoints record it.
    var hex: String { String(hash.finalize().flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }) }
}
