/// The rule for names of hosts and authorities, the same as for machines: they become names of files.
enum PeerName {
    /// Whether it is `[a-z0-9][a-z0-9_-]{0,62}`.
    static func isValid(_ name: String) -> Bool {
        let plain = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return (1...63).contains(name.utf8.count) && name.utf8.first.map(plain) == true
            && name.utf8.allSatisfy { plain($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    static func check(_ name: String, of what: String) throws(PKIError) {
        guard isValid(name) else {
            throw PKIError(
                .name,
                "'\(name.prefix(80))' cannot be the name of \(what): up to 63 of a-z, 0-9, _ and -, the first a letter or digit"
            )
        }
    }
}
