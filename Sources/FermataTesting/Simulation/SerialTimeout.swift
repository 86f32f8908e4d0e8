/// A machine did not say on its serial port what it was expected to.
public struct SerialTimeout: Error, Hashable, Sendable, CustomStringConvertible {
    /// `SIM/MACHINE, serial port N`.
    public let port: String
    /// What did not come.
    public let expected: String
    public let timeout: Duration
    /// What came since the last match.
    public let output: String
    /// Where all is that came, or why nothing does.
    public let whereabouts: String

    /// With the last lines that came instead.
    public var description: String {
        let lines = output.split { $0.isNewline }.suffix(20).map { "  | \(Self.visible($0.prefix(500)))" }
        let said = lines.isEmpty ? "  nothing" : lines.joined(separator: "\n")
        return
            "\(port): \(expected) did not come within \(timeout); since the last match came\n\(said)\n(\(whereabouts))"
    }

    /// A guest's words must not move the cursor of whoever reads of them.
    private static func visible(_ text: Substring) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 0x09, 0x20..<0x7f, 0xa0...: String(scalar)
            default: "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            }
        }.joined()
    }
}
