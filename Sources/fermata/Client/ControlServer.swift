/// A control instance that is reached over TLS.
struct ControlServer: Hashable, Sendable {
    /// A name, or an IP address without brackets.
    let host: String
    let port: Int

    /// - Parameter text: `https://HOST:PORT`.
    init(_ text: String) throws(CommandFailure) {
        guard !text.lowercased().hasPrefix("http://") else {
            throw Self.failure(text, "a token does not go over a connection that others can read: write https://")
        }
        guard text.lowercased().hasPrefix("https://") else { throw Self.failure(text, "write https://HOST:PORT") }
        var rest = text.dropFirst("https://".count)
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0 else {
            throw Self.failure(text, "write https://HOST:PORT, with the port that 'fermata serve --listen' has")
        }
        var host = rest[..<colon]
        let isNumeric6 = host.hasPrefix("[") && host.hasSuffix("]")
        if isNumeric6 { host = host.dropFirst().dropLast() }
        let isKnown = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): isNumeric6
            default: false
            }
        }
        guard !host.isEmpty, isKnown else {
            throw Self.failure(text, "write https://HOST:PORT, without a path or a user")
        }
        self.host = String(host)
        self.port = Int(port)
    }

    /// Without a path.
    var url: String { "https://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    private static func failure(_ text: String, _ advice: String) -> CommandFailure {
        CommandFailure(
            .usage,
            code: "invalid-control",
            "'\(text.prefix(120))' is no address of a control instance: \(advice)"
        )
    }
}
