/// A host with an agent, which reads files of other hosts and lets them read its own, where its control instance says so.
///
/// A capability beside ``Hypervisor``: a control instance's own host has no agent, and is one end of the way of its bytes anyway.
public protocol PeerHost: Hypervisor {
    /// Lets another host read files, for a quarter of an hour.
    /// - Throws: `version-mismatch` when its agent is of a release that cannot.
    func grant(_ order: GrantOrder) async throws(HypervisorError) -> ReadGrant

    /// Takes a grant back. One that is not known is no error: an agent that was started anew knows none.
    func endGrant(_ grant: ReadGrant) async throws(HypervisorError)

    /// Reads on in a file of another host and puts it to its place, for some seconds; whoever asked asks again from where it came. What is put
    /// to its place, and how, is as of ``Hypervisor/write(_:to:)``.
    /// - Throws: `peer-unreachable` when nothing comes from that host, `grant-refused` when it does not know the grant (any more),
    ///   `version-mismatch` when one of the two agents is of a release that cannot, and what reading and writing throw.
    func fetch(_ order: FetchOrder) async throws(HypervisorError) -> FetchProgress
}
