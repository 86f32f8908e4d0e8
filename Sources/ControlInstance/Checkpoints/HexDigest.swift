import Crypto

/// Of small things in memory: manifests. Files of checkpoints are digested by the hypervisor.
enum HexDigest {
    private static let digits = Array("0123456789abcdef".utf8)

    /// SHA-256, in lower-case hex.
    static func sha256(_ bytes: [UInt8]) -> String {
        let hex = SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: hex, as: UTF8.self)
    }
}
