public import HypervisorAPI
public import Time

extension OperationID {
    /// Sorts by time: 48 bits of milliseconds, then 80 random bits, in 26 lower-case letters and digits (Crockford's base 32),
    /// so that it is also good as a file name.
    public static func new(at now: HostInstant) -> OperationID { OperationID(text: sortableID(at: now)) }

    /// Of operations that one request begins, the one with this number: 0 is the first one itself. The same each time, and nobody else's:
    /// its 80 bits come from all of the first one's.
    public func sibling(_ number: Int) -> OperationID {
        guard number > 0 else { return self }
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
        let chance = HexDigest.sha256(Array("\(text) \(number)".utf8)).utf8.prefix(32)
        // Two hexadecimal digits for one of these: of 256 values as many become each of the 32.
        let pairs = stride(from: 0, to: 32, by: 2).map { Array(chance)[$0..<$0 + 2] }
        let random = pairs.map { digits[(Int(String(decoding: $0, as: UTF8.self), radix: 16) ?? 0) & 31] }
        return OperationID(text: String(text.prefix(10)) + String(random))
    }
}

func sortableID(at now: HostInstant) -> String {
    let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
    var generator = SystemRandomNumberGenerator()
    let milliseconds = UInt64(max(0, now.nanosecondsSinceEpoch) / 1_000_000)
    let time = (0..<10).map { digits[Int(milliseconds >> UInt64(45 - 5 * $0)) & 31] }
    let random = (0..<16).map { _ in digits[Int.random(in: 0..<32, using: &generator)] }
    return String(time + random)
}
