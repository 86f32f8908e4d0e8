public import HypervisorAPI
public import Logging
import PostgreSQL
import Synchronization
public import Time

/// The state database on a PostgreSQL server, which several control instances may share.
///
/// Each is known there by the identity of its state folder, and is live as long as it renews its lease, by the server's clock. What it may
/// change is in `claims`, each with an epoch that no other claim ever had; a change is made only while its claim still stands.
public final class PostgreSQLStore: Store {
    /// How long others wait for one that is not heard of.
    public static let lease = Span.seconds(15)

    let client: PostgreSQLClient
    /// A connection of its own: no transaction may keep the lease from being renewed.
    let pulseClient: PostgreSQLClient
    let identity: InstanceIdentity
    let lease: Span
    let logger: Logger
    /// The epochs of what this instance has claimed, by simulation.
    let held = Mutex<[String: Int64]>([:])
    private let pulse = Mutex<Task<Void, Never>?>(nil)

    /// Connects, brings the tables up to date, and makes this instance known.
    /// - Parameter url: `postgresql://…`, with all that libpq knows.
    /// - Throws: when the database cannot be used, was written by a newer release, or another live instance has this one's name.
    public init(
        url: String,
        identity: InstanceIdentity,
        lease: Span = lease,
        logger: Logger = Logger(label: "fermata.database")
    ) async throws(StoreError) {
        self.identity = identity
        self.lease = lease
        self.logger = logger
        do {
            let address = try PostgreSQLAddress(url)
            client = try PostgreSQLClient(address, prepare: { try Self.prepare($0) })
            pulseClient = try PostgreSQLClient(address) { session in
                try Self.prepare(session)
                // Ends with the connection, and so with the process; says nothing to others, who go by the lease.
                try session.run("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", [.text(identity.id)])
            }
            try await client.transaction { try Self.migrate($0, address.description) }
        } catch let error as StoreError {
            throw error
        } catch {
            throw Self.storeError(error)
        }
        try await register()
        startPulse()
    }

    deinit { stopPulse() }

    public var isShared: Bool { true }

    /// Which database it is, without a password.
    public var place: String { client.address.description }

    private static func prepare(_ session: PostgreSQLSession) throws {
        // Milliseconds. Nobody else is to wait for a process that hangs in the middle of a transaction.
        try session.run("SET statement_timeout = 8000")
        try session.run("SET lock_timeout = 5000")
        try session.run("SET idle_in_transaction_session_timeout = 10000")
        // Whatever the server's own setting: a decision that hypervisors have been told must not be taken back.
        try session.run("SET synchronous_commit = on")
    }

    // MARK: - Reading

    public func simulations() async throws(StoreError) -> [SimulationRecord] {
        try await perform { session in
            try session.run("SELECT * FROM simulations ORDER BY name COLLATE \"C\"").rows.map(Self.simulationRecord)
        }
    }

    public func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? {
        try await perform { session in
            try session.run("SELECT * FROM simulations WHERE name = $1", [.text(name)]).rows.first.map(
                Self.simulationRecord
            )
        }
    }

    public func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(StoreError)
        -> [OperationRecord]
    {
        try await perform { session in
            try session.run(
                """
                SELECT * FROM operations WHERE ($1 IS NULL OR simulation = $1)
                AND ($3 IS NULL OR (started_ns, id COLLATE "C") < (SELECT started_ns, id FROM operations WHERE id = $3))
                ORDER BY started_ns DESC, id COLLATE "C" DESC LIMIT $2
                """,
                [.text(simulation), .integer(Int64(limit)), .text(before?.text)]
            ).rows.map(Self.operationRecord)
        }
    }

    public func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        try await perform { session in
            try session.run("SELECT * FROM operations WHERE id = $1", [.text(id.text)]).rows.first.map(
                Self.operationRecord
            )
        }
    }

    public func unfinishedOperations() async throws(StoreError) -> [OperationRecord] {
        try await perform { session in
            try session.run(
                "SELECT * FROM operations WHERE phase <> 'finished' ORDER BY started_ns, id COLLATE \"C\""
            ).rows.map(Self.operationRecord)
        }
    }

    public func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try await perform { [identity] session in
            try session.run(
                """
                SELECT c.*, i.name AS keeper_name FROM checkpoints c LEFT JOIN instances i ON i.id = c.keeper
                WHERE $1 IS NULL OR c.simulation = $1 ORDER BY c.created_ns, c.id COLLATE "C"
                """,
                [.text(simulation)]
            ).rows.map { try Self.checkpointRecord($0, for: identity) }
        }
    }

    public func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try await perform { [identity] session in
            try session.run(
                """
                SELECT c.*, i.name AS keeper_name FROM checkpoints c LEFT JOIN instances i ON i.id = c.keeper
                WHERE c.simulation = $1 AND c.name = $2
                """,
                [.text(simulation), .text(name)]
            ).rows.first.map { try Self.checkpointRecord($0, for: identity) }
        }
    }

    public func triggers(of simulation: String) async throws(StoreError) -> TriggerRecord? {
        try await perform { session in
            try session.run("SELECT record FROM triggers WHERE simulation = $1", [.text(simulation)]).rows.first.map(
                Self.triggerRecord
            )
        }
    }

    public func hosts() async throws(StoreError) -> [HostRecord] {
        try await perform { session in
            try session.run("SELECT * FROM hosts ORDER BY name COLLATE \"C\"").rows.map(Self.hostRecord)
        }
    }

    // MARK: - Writing

    public func apply(_ change: StoreChange) async throws(StoreError) {
        try await perform { [self] session in
            let claims = try fence(change, session)
            if let simulation = change.simulation { try Self.save(simulation, session) }
            if let operation = change.operation { try Self.save(operation, session) }
            if let removed = change.removedCheckpoint {
                try session.run("DELETE FROM checkpoints WHERE id = $1", [.text(removed.id)])
            }
            if let removed = change.removedSimulation {
                try session.run("DELETE FROM simulations WHERE name = $1", [.text(removed)])
            }
            if let host = change.host { try Self.save(host, session) }
            if let removed = change.removedHost {
                try session.run("DELETE FROM hosts WHERE name = $1", [.text(removed)])
            }
            for checkpoint in change.checkpoints { try Self.save(checkpoint, keeper: identity.id, session) }
            if let triggers = change.triggers { try Self.save(triggers, session) }
            for (simulation, epoch) in claims { try giveUp(simulation, epoch, session) }
        }
    }

    public func health() async -> StoreHealth? {
        let place = client.address.description
        let start = ContinuousClock.now
        do {
            // A change, though of nothing: until it is on the server's disk.
            let version = try await client.transaction { [identity] session in
                try session.run("UPDATE instances SET home = home WHERE id = $1", [.text(identity.id)])
                return session.serverVersion
            }
            let latency = ContinuousClock.now - start
            return StoreHealth(
                place: place,
                version: "PostgreSQL \(version / 10_000).\(version % 10_000)",
                latency: .microseconds(Int64(latency / .microseconds(1)))
            )
        } catch {
            return StoreHealth(place: place, problem: Self.storeError(error).message)
        }
    }

    // MARK: - The rest

    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLSession) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await client.transaction(body)
        } catch {
            throw Self.storeError(error)
        }
    }

    static func storeError(_ error: any Error) -> StoreError {
        switch error {
        case let error as StoreError: error
        case let error as PostgreSQLError: StoreError(error.message, error.isConnectionLoss ? .unreachable : .failed)
        default: StoreError("\(error)")
        }
    }

    private func startPulse() {
        let pause = Span(nanoseconds: lease.nanoseconds / 3).duration
        let task = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: pause)
                guard let self, !Task.isCancelled else { return }
                await self.renewLease()
            }
        }
        pulse.withLock { $0 = task }
    }

    /// As if its process stood still.
    func stopPulse() { pulse.withLock { $0?.cancel() } }

    public func close() async {
        stopPulse()
        await unregister()
        await client.close()
        await pulseClient.close()
    }
}
