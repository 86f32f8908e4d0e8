/// What the owner of a host allows to be done with what comes to it from another one.
public struct ArrivalLimits: Codable, Hashable, Sendable {
    /// QEMU binaries that may be started, absolute paths, or folders ending in `/` whose `qemu-system-…` may.
    public var binaries: [String]
    /// Whether this host is searched for files that a machine had where it came from. Who commands it could learn what lies where.
    public var looksAround: Bool

    public init(binaries: [String], looksAround: Bool) {
        self.binaries = binaries
        self.looksAround = looksAround
    }

    public func admits(binary: String) -> Bool { Self.admits(binary, by: binaries) }

    /// - Parameter rules: as ``binaries``.
    public static func admits(_ binary: String, by rules: [String]) -> Bool {
        guard binary.hasPrefix("/"), !binary.split(separator: "/").contains(where: { $0 == ".." || $0 == "." }),
            !binary.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: ",") })
        else { return false }
        return rules.contains { allowed in
            allowed == binary
                || allowed.hasSuffix("/") && binary.hasPrefix(allowed + "qemu-system-")
                    && !binary.dropFirst(allowed.count).contains("/")
        }
    }
}
