/// Text of guests and programs, which may hold anything, for people and for files that may not.
package enum Visible {
    /// With control characters as `\x1b`: nothing in it moves a cursor, ends a line or makes what stands beside it read in another order.
    package static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0xFFFE, 0xFFFF, 0x2028, 0x2029: result += "\\x" + hex(scalar.value)
            // All that Unicode has of them (Bidi_Control); letters that are written from right to left are none.
            case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: result += "\\x" + hex(scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return digits.utf8.count < 2 ? "0\(digits)" : digits
    }
}
