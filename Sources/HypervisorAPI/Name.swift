/// The one rule for names of simulations, machines, links, resources, disks and checkpoints: they become names of files and parts of `SIM@NAME`.
public enum Name {
    /// Whether it is `[a-z0-9][a-z0-9_-]{0,62}`.
    public static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        let plain = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return (1...63).contains(bytes.count) && plain(bytes[0])
            && bytes.allSatisfy { plain($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}
