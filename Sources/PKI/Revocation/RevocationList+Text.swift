import Time

extension RevocationList {
    private static let head = "fermata-revocations 1"

    /// What is signed: all lines but the last.
    var body: String {
        let lines =
            ["\(Self.head)", "authority \(authority)", "sequence \(sequence)", "issued \(issued)"]
            + entries.map { "revoked \($0.serial) \($0.revoked)" }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The file, or its part of one: lists of several authorities may follow each other.
    public var bytes: [UInt8] { Array("\(body)signature \(Hex.text(signature))\n".utf8) }

    /// All lists of a text. What ``bytes`` could not have written is refused. Signatures are not checked: that is
    /// ``verify(with:)``.
    /// - Parameter path: where it is from, for messages.
    /// - Throws: `pki-revocations`, also when there is none.
    public static func all(in bytes: [UInt8], path: String) throws(PKIError) -> [RevocationList] {
        let failure = PKIError(
            .revocations,
            "\(path) is no list of revoked certificates, or not a whole one: copy the authority's list again"
        )
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure }
        var lists: [RevocationList] = []
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(line)
            guard line.hasPrefix("signature ") else { continue }
            guard let list = RevocationList(lines: lines) else { throw failure }
            lists.append(list)
            lines = []
        }
        // Spaces, other digits, other dates of the same meaning: only one text is the list.
        guard !lists.isEmpty, lists.flatMap(\.bytes) == bytes else { throw failure }
        return lists
    }

    private init?(lines: [Substring]) {
        guard lines.count >= 5, lines.count - 5 <= Self.limit, lines[0] == Self.head,
            let authority = Self.value(of: "authority", lines[1]), Hex.bytes(authority)?.count == 32,
            let sequence = Self.value(of: "sequence", lines[2]).flatMap({ UInt64($0) }),
            let issued = Self.value(of: "issued", lines[3]).flatMap({ Self.instant($0) }),
            let signature = Self.value(of: "signature", lines[lines.count - 1]).flatMap({ Hex.bytes($0) })
        else { return nil }
        var entries: [Entry] = []
        for line in lines[4..<(lines.count - 1)] {
            guard let entry = Self.entry(line) else { return nil }
            if let last = entries.last, last.serial >= entry.serial { return nil }
            entries.append(entry)
        }
        self.init(
            authority: String(authority),
            sequence: sequence,
            issued: issued,
            entries: entries,
            signature: signature
        )
    }

    private static func entry(_ line: Substring) -> Entry? {
        guard let parts = value(of: "revoked", line)?.split(separator: " "), parts.count == 2,
            let serial = Hex.bytes(parts[0]), (1...20).contains(serial.count), let revoked = instant(parts[1])
        else { return nil }
        return Entry(serial: String(parts[0]), revoked: revoked)
    }

    private static func value(of key: String, _ line: Substring) -> Substring? {
        line.hasPrefix(key + " ") ? line.dropFirst(key.count + 1) : nil
    }

    private static func instant(_ text: Substring) -> HostInstant? {
        // Never by this host's zone.
        guard text.hasSuffix("Z"), let instant = try? HostInstant(parsing: String(text)) else { return nil }
        return instant == instant.toSecond ? instant : nil
    }
}
