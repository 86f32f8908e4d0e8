import Logging
import PostgreSQL
import Synchronization
import Time

/// Who may change what, among the control instances with one database.
extension PostgreSQLStore {
    public func claim(_ simulation: String) async throws(StoreError) {
        let epoch = try await perform { [self] session in try take(simulation, session) }
        held.withLock { $0[simulation] = epoch }
    }

    public func release(_ simulation: String) {
        guard let epoch = held.withLock({ $0.removeValue(forKey: simulation) }) else { return }
        // What does not succeed is made good with the lease.
        client.enqueue { [self] session in
            try giveUp(simulation, epoch, session)
        } ended: { _ in
        }
    }

    public func peers() async throws(StoreError) -> [Peer] {
        try await perform { [identity] session in
            let rows = try session.run(
                """
                SELECT i.id, i.name, i.home, is_live(i) AS live, c.simulation FROM instances i
                LEFT JOIN claims c ON c.owner = i.id WHERE i.id <> $1 ORDER BY i.name COLLATE "C", i.id
                """,
                [.text(identity.id)]
            ).rows
            var order: [String] = []
            var peers: [String: Peer] = [:]
            for row in rows {
                let id = try row.text("id")
                if peers[id] == nil { order.append(id) }
                var peer =
                    try peers[id]
                    ?? Peer(name: row.text("name"), home: row.text("home"), isLive: row.boolean("live"))
                if let simulation = try row.optionalText("simulation") { peer.simulations.insert(simulation) }
                peers[id] = peer
            }
            return order.compactMap { peers[$0] }
        }
    }

    // MARK: - In a transaction

    /// Takes a claim that is free, this instance's own, or one whose owner has not been heard of for a lease.
    /// - Returns: its epoch.
    private func take(_ simulation: String, _ session: PostgreSQLSession) throws -> Int64 {
        let taken = try session.run(
            """
            INSERT INTO claims AS c (simulation, owner, epoch) VALUES ($1, $2, nextval('epochs'))
            ON CONFLICT (simulation) DO UPDATE
                SET owner = excluded.owner, epoch = excluded.epoch, taken = clock_timestamp()
                WHERE c.owner = excluded.owner
                    OR NOT EXISTS (SELECT FROM instances i WHERE i.id = c.owner AND is_live(i))
            RETURNING epoch
            """,
            [.text(simulation), .text(identity.id)]
        ).rows.first
        if let taken { return try taken.integer("epoch") }
        let owner = try session.run(
            "SELECT i.name, i.home FROM claims c JOIN instances i ON i.id = c.owner WHERE c.simulation = $1",
            [.text(simulation)]
        ).rows.first
        let name = try owner?.text("name") ?? "another one"
        throw StoreError(
            "\(simulation) is driven by the control instance \(name)"
                + (try owner.map { " (state folder \(try $0.text("home")))" } ?? "")
                + ": ask there, or wait until it is through",
            .driven(by: name)
        )
    }

    func giveUp(_ simulation: String, _ epoch: Int64, _ session: PostgreSQLSession) throws {
        try session.run(
            "DELETE FROM claims WHERE simulation = $1 AND owner = $2 AND epoch = $3",
            [.text(simulation), .text(identity.id), .integer(epoch)]
        )
    }

    /// Makes sure that this instance may make a change, until the transaction ends: that its claims still stand, with the epochs that they
    /// were given with, and that what it has not claimed nobody else has.
    /// - Returns: claims that were taken for this change alone, to be given up at its end.
    func fence(_ change: StoreChange, _ session: PostgreSQLSession) throws -> [(String, Int64)] {
        var simulations = Set(change.checkpoints.map(\.simulation))
        simulations.formUnion(
            [
                change.simulation?.name, change.operation?.simulation, change.removedCheckpoint?.simulation,
                change.removedSimulation, change.triggers?.simulation,
            ].compactMap(\.self)
        )
        let epochs = held.withLock { $0 }
        var momentary: [(String, Int64)] = []
        // Always in the same order: two who want the same ones must not wait for each other.
        for simulation in simulations.sorted() {
            guard let epoch = epochs[simulation] else {
                momentary.append((simulation, try take(simulation, session)))
                continue
            }
            // Whoever wants to take it over waits for this transaction, and this one for a take-over that is under way.
            let mine = try session.run(
                "SELECT epoch FROM claims WHERE simulation = $1 AND owner = $2 AND epoch = $3 FOR SHARE",
                [.text(simulation), .text(identity.id), .integer(epoch)]
            )
            guard mine.rows.isEmpty else { continue }
            throw StoreError(
                "this control instance was not heard of for longer than \(lease), and another one has taken over \(simulation)",
                .fenced
            )
        }
        return momentary
    }

    // MARK: - This instance

    /// Makes this instance known. What an earlier process with the same state folder had claimed is free.
    func register() async throws(StoreError) {
        let process = sortableID(at: HostInstant(nanosecondsSinceEpoch: 0))
        let end = ContinuousClock.now + (lease + lease).duration
        while true {
            let isFree = try await tryToRegister(process)
            if isFree { return }
            guard ContinuousClock.now < end else {
                throw StoreError(
                    "another process has the identity of this state folder (\(identity.home)/instance) in the database "
                        + "\(client.address): a state folder that was copied needs one of its own, so remove that file from the copy"
                )
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// - Returns: false while an earlier process of this identity may be there.
    private func tryToRegister(_ process: String) async throws(StoreError) -> Bool {
        do {
            return try await pulseClient.transaction { [self] session in
                // The lock is this connection's since it was made, unless somebody else has it.
                let lock = try session.run(
                    """
                    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS mine,
                        EXISTS (SELECT FROM instances i WHERE id = $1 AND is_live(i)) AS live
                    """,
                    [.text(identity.id)]
                ).rows.first
                if let lock, try !lock.boolean("mine"), try lock.boolean("live") {
                    try session.run("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", [.text(identity.id)])
                    return false
                }
                let namesake = try session.run(
                    "SELECT home FROM instances i WHERE name = $1 AND id <> $2 AND is_live(i)",
                    [.text(identity.name), .text(identity.id)]
                ).rows.first
                if let namesake {
                    throw StoreError(
                        "the database \(client.address) knows another control instance '\(identity.name)' (state folder "
                            + "\(try namesake.text("home"))), and machines are told apart by it: give this one a name of its own "
                            + "with FERMATA_HOST"
                    )
                }
                try session.run(
                    """
                    INSERT INTO instances (id, name, home, process, lease_ms, expires)
                    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $5 * interval '1 millisecond')
                    ON CONFLICT (id) DO UPDATE SET name = excluded.name, home = excluded.home,
                        process = excluded.process, lease_ms = excluded.lease_ms, expires = excluded.expires
                    """,
                    [
                        .text(identity.id), .text(identity.name), .text(identity.home), .text(process),
                        .integer(lease.nanoseconds / 1_000_000),
                    ]
                )
                try session.run("DELETE FROM claims WHERE owner = $1", [.text(identity.id)])
                return true
            }
        } catch {
            throw Self.storeError(error)
        }
    }

    /// Says that this instance lives, and gives back what it holds without knowing: claims whose release or taking was lost on the way.
    func renewLease() async {
        let epochs = held.withLock { Array($0.values) }
        do {
            let known = try await pulseClient.transaction { [identity] session in
                let known = try session.run(
                    """
                    UPDATE instances SET expires = clock_timestamp() + lease_ms * interval '1 millisecond'
                    WHERE id = $1 AND expires > '-infinity'
                    """,
                    [.text(identity.id)]
                ).affected
                // No transaction takes as long as that: whatever was taken before is known by now.
                try session.run(
                    """
                    DELETE FROM claims WHERE owner = $1 AND NOT epoch = ANY ($2)
                        AND taken < clock_timestamp() - interval '30 seconds'
                    """,
                    [.text(identity.id), .integers(epochs)]
                )
                return known
            }
            if known == 0 { logger.error("the database does not know this control instance any more; start it anew") }
        } catch {
            logger.warning("cannot renew the lease in the database", metadata: ["reason": "\(Self.storeError(error))"])
        }
    }

    func unregister() async {
        held.withLock { $0 = [:] }
        _ = try? await client.transaction { [identity] session in
            try session.run("DELETE FROM claims WHERE owner = $1", [.text(identity.id)])
            try session.run("UPDATE instances SET expires = '-infinity' WHERE id = $1", [.text(identity.id)])
        }
    }
}
