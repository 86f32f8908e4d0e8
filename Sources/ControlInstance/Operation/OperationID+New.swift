import HypervisorAPI
import Time

extension OperationID {
    /// Sorts by time: 48 bits of milliseconds, then 80 random bits, in 26 lower-case letters and digits (Crockford's base 32),
    /// so that it is also good as a file name.
    static func new(at now: HostInstant) -> OperationID { OperationID(text: sortableID(at: now)) }
}

func sortableID(at now: HostInstant) -> String {
    let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
    var generator = SystemRandomNumberGenerator()
    let milliseconds = UInt64(max(0, now.nanosecondsSinceEpoch) / 1_000_000)
    let time = (0..<10).map { digits[Int(milliseconds >> UInt64(45 - 5 * $0)) & 31] }
    let random = (0..<16).map { _ in digits[Int.random(in: 0..<32, using: &generator)] }
    return String(time + random)
}
