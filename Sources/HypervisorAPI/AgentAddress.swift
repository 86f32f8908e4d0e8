/// Where an agent listens: `lab2.example:7443`, `192.0.2.7:7443`, `[fd00::5]:7443`.
public enum AgentAddress {
    /// Whether it is one, and nothing that a URL would take for more than that.
    public static func isValid(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return false
        }
        let host = text[..<colon]
        let allowed = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.dropFirst().dropLast().utf8.allSatisfy { allowed($0) || $0 == UInt8(ascii: ":") }
                && host.count > 2
        }
        return !host.isEmpty && host.count <= 253 && host.utf8.allSatisfy(allowed)
    }
}
