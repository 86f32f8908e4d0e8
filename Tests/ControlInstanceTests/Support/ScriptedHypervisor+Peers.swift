import HypervisorAPI
import Synchronization

extension ScriptedHypervisor: PeerHost {
    func grant(_ order: GrantOrder) async throws(HypervisorError) -> ReadGrant {
        let (failure, ticket) = world.withLock { world -> (HypervisorError?, Int) in
            world.calls.append("grant \(order.reader) \(order.files.map(\.path).sorted().joined(separator: " "))")
            world.tickets += 1
            return (world.grants.isEmpty ? nil : world.grants.removeFirst(), world.tickets)
        }
        if let failure { throw failure }
        return ReadGrant(host: host, address: "\(host):7443", ticket: "\(ticket)")
    }

    func endGrant(_ grant: ReadGrant) async throws(HypervisorError) {
        world.withLock { $0.calls.append("end-grant \(grant.ticket)") }
    }

    /// Two bytes at a time. All doubles have one folder, so it can read what is another one's.
    func fetch(_ order: FetchOrder) async throws(HypervisorError) -> FetchProgress {
        let failure = world.withLock { world -> HypervisorError? in
            world.calls.append(
                "fetch \(order.source.path) \(order.offset) of \(order.grant.host) by \(order.grant.ticket)"
            )
            return world.fetches.isEmpty ? nil : world.fetches.removeFirst()
        }
        if let failure { throw failure }
        let piece = try Self.piece(of: order.source, from: order.offset)
        try Self.put(piece, to: order.target)
        return FetchProgress(position: piece.end, sent: UInt64(piece.bytes.count))
    }
}
