public import HypervisorAPI
import Time

extension RemoteHypervisor: PeerHost {
    /// Beyond what the host itself takes for one answer.
    private static let fetchPatience = PeerFetches.stretch + PeerFetches.piecePatience + Span.seconds(10)

    public func grant(_ order: GrantOrder) async throws(HypervisorError) -> ReadGrant {
        let there = try order.mapping { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.checkpoint, .export])
        }
        let ticket = try await connection.call(.grant, there, patience: Self.shortPatience)
        return ReadGrant(host: host, address: connection.address, ticket: ticket)
    }

    public func endGrant(_ grant: ReadGrant) async throws(HypervisorError) {
        _ = try await connection.call(.endGrant, grant.ticket, patience: Self.shortPatience)
    }

    public func fetch(_ order: FetchOrder) async throws(HypervisorError) -> FetchProgress {
        let there = try order.mapping { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.checkpoint, .export])
        } target: { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.arrival])
        }
        return try await connection.call(.fetch, there, patience: Self.fetchPatience)
    }
}

extension RemoteHypervisor: SharedFolderHost {
    /// What lies in no checkpoint's folder (what was made for its way, a disk of its owner's) is in none that others see.
    public func copyShared(_ order: SharedFileOrder) async throws(HypervisorError) -> Bool {
        guard folders.isCheckpoint(order.source.folder) else { return false }
        let there = try order.mapping { folder throws(HypervisorError) in
            try folders.relative(folder)
        } target: { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.arrival])
        }
        return try await connection.call(.copyShared, there, patience: Self.longPatience)
    }
}
