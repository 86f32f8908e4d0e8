/// Take a checkpoint out of an archive.
public struct ImportRequest: Codable, Hashable, Sendable {
    /// nil: as it was called.
    public var simulation: String?
    /// nil: as it was called.
    public var checkpoint: String?
    /// QEMU binaries to use instead of those of the same file name; absolute paths.
    public var binaries: [String]
    /// Where machines go that shall not go where their description says: names of hosts, by machine.
    public var hosts: [String: String]

    public init(
        simulation: String? = nil,
        checkpoint: String? = nil,
        binaries: [String] = [],
        hosts: [String: String] = [:]
    ) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.binaries = binaries
        self.hosts = hosts
    }
}
