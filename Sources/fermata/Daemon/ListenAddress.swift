/// Where a server listens: `ADDRESS:PORT`, an IPv6 address in brackets.
struct ListenAddress: Hashable, Sendable {
    let address: String
    let port: Int

    init(_ text: String) throws(CommandFailure) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            colon > text.startIndex
        else {
            throw CommandFailure(
                .usage,
                code: "listen-invalid",
                "'\(text.prefix(120))' is no address to listen at: write ADDRESS:PORT, such as 0.0.0.0:7444"
            )
        }
        let address = text[..<colon]
        let isBracketed = address.hasPrefix("[") && address.hasSuffix("]")
        self.address = String(isBracketed ? address.dropFirst().dropLast() : address)
        self.port = Int(port)
    }

    /// `FERMATA_LISTEN`, if it is set.
    static func of(_ environment: [String: String]) throws(CommandFailure) -> ListenAddress? {
        guard let text = environment["FERMATA_LISTEN"], !text.isEmpty else { return nil }
        return try ListenAddress(text)
    }
}
