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

extension ScriptedHypervisor: SharedFolderHost {
    func copyShared(_ order: SharedFileOrder) async throws(HypervisorError) -> Bool {
        let result = world.withLock { world -> Result<Bool, HypervisorError> in
            world.looked.append("\(order.source.path) \(order.file.bytes)")
            return world.shared.isEmpty ? .success(false) : world.shared.removeFirst()
        }
        guard try result.get() else { return false }
        try Self.put(try Self.piece(of: order.source, from: 0, count: Int(order.file.bytes)), to: order.target)
        return true
    }
}
