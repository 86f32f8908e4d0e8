/// A host that sees what other hosts keep of checkpoints in folders of its own: a file server's, or one of theirs that is mounted.
///
/// A capability beside ``Hypervisor``: files come without it, too.
public protocol SharedFolderHost: Hypervisor {
    /// Looks there for a file of another host's checkpoint, and puts a copy to its place if that is the same by its digest.
    /// - Returns: whether it is there; if not, it has to come by another way.
    /// - Throws: what is wrong with its place, as of ``Hypervisor/write(_:to:)``.
    func copyShared(_ order: SharedFileOrder) async throws(HypervisorError) -> Bool
}

/// Look for a file in folders that other hosts have, too.
public struct SharedFileOrder: Codable, Hashable, Sendable {
    /// What it has to be.
    public var file: CheckpointFile
    /// On the host that has it.
    public var source: FilePlace
    /// A folder that something comes into (``ArrivalName``), on this one.
    public var target: FilePlace

    public init(file: CheckpointFile, source: FilePlace, target: FilePlace) {
        self.file = file
        self.source = source
        self.target = target
    }
}
