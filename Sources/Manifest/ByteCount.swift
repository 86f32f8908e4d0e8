/// Sizes as people write them: bytes, or with K, M, G or T for powers of 1024, as QEMU has it.
public enum ByteCount {
    /// - Returns: nil for what is no such size; the largest number for one that is larger.
    public static func parse(_ text: String) -> UInt64? {
        let shifts: [Character: UInt64] = ["K": 10, "M": 20, "G": 30, "T": 40]
        let shift = text.last.flatMap { shifts[$0] }
        let digits = shift == nil ? Substring(text) : text.dropLast()
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = UInt64(digits) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        return overflow ? .max : bytes
    }
}
