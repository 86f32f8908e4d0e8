import Glibc
import HypervisorAPI

/// A cable: two connected sockets, one for each end. Kept until the machines have theirs and what was on its way is back in
/// the cable; then let go, so that only the machines hold it.
struct LinkPair: Sendable {
    let spec: LinkSpec
    /// In the order of ``LinkSpec/ends``. For a machine on another host, ``UDPEnd/substitute``: what is written into it arrives here.
    let ends: [OwnedDescriptor]
    /// Of a link to another host.
    private let here: UDPEnd?

    /// - Parameter machines: those of this host; nil: both are.
    init(_ spec: LinkSpec, among machines: Set<String>? = nil) throws(HypervisorError) {
        guard spec.ends.count == 2 else {
            throw HypervisorError(
                code: "link-invalid",
                message: "the link '\(spec.name)' has \(spec.ends.count) ends, not two"
            )
        }
        let own = spec.ends.indices.filter { machines?.contains(spec.ends[$0].machine) ?? true }
        guard own.count != 1 else {
            let end = try UDPEnd(of: spec, end: own[0])
            self.spec = spec
            here = end
            ends = own[0] == 0 ? [end.socket, end.substitute] : [end.substitute, end.socket]
            return
        }
        here = nil
        let kind = spec.kind == .dgram ? SOCK_DGRAM : SOCK_STREAM
        var numbers: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
            throw HypervisorError(
                code: "link-failed",
                message: "no sockets for the link '\(spec.name)': \(String(cString: strerror(errno)))"
            )
        }
        self.spec = spec
        ends = numbers.map { OwnedDescriptor($0) }
    }

    /// From now on a link to another host carries what that host sends, and nothing else. Before, it had what was on its way.
    func join() throws(HypervisorError) { try here?.connect() }

    /// What a machine inherits, by the descriptor's number there.
    static func inherited(
        by attachments: [LaunchPlan.Attachment],
        from pairs: [LinkPair]
    ) throws(HypervisorError) -> [Int32: OwnedDescriptor] {
        var inherited: [Int32: OwnedDescriptor] = [:]
        for attachment in attachments {
            guard let pair = pairs.first(where: { $0.spec.name == attachment.link.name }) else {
                throw HypervisorError(
                    code: "link-failed",
                    message: "the link '\(attachment.link.name)' has not been made"
                )
            }
            inherited[attachment.descriptor] = pair.ends[attachment.end]
        }
        return inherited
    }

    /// The end that a machine reads from, and the one that what it reads is written into.
    func ends(towards machine: String) -> (reader: OwnedDescriptor, writer: OwnedDescriptor)? {
        guard let index = spec.ends.firstIndex(where: { $0.machine == machine }) else { return nil }
        return (ends[index], ends[1 - index])
    }
}
