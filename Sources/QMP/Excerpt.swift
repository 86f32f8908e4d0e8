/// The beginning of bytes from a peer, fit for a terminal.
enum Excerpt {
    static let length = 96

    static func printable(_ bytes: some Sequence<UInt8>) -> String {
        var text = "'"
        var count = 0
        for byte in bytes {
            guard count < length else { return text + "…'" }
            count += 1
            switch byte {
            case 0x20...0x7e: text.unicodeScalars.append(UnicodeScalar(byte))
            case 0x0d: text += "\\r"
            case 0x0a: text += "\\n"
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text + "'"
    }
}
