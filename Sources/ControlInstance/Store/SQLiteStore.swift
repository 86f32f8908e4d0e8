import FoundationEssentials
import GRDB
public import HypervisorAPI
import Time

/// The state database in one SQLite file.
public struct SQLiteStore: UnsharedStore {
    private let pool: DatabasePool

    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    /// - Throws: when it cannot be used, or was written by a newer release.
    public init(path: String) throws(StoreError) {
        do {
            var configuration = Configuration()
            configuration.label = "fermata"
            configuration.busyMode = .timeout(5)
            try Self.refuseNewer(path, configuration)
            pool = try DatabasePool(path: path, configuration: configuration)
            try Self.migrator.migrate(pool)
            // Opening a pool sets NORMAL, with which a loss of power may take back the last transactions; a decision that
            // hypervisors have been told must not be taken back.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError("\(path) cannot be opened: \(error)")
        }
    }

    /// Looks without the right to write: a pool would already put into the file what lies in its journal.
    private static func refuseNewer(_ path: String, _ configuration: Configuration) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        var configuration = configuration
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        guard try queue.read({ try migrator.hasBeenSuperseded($0) }) else { return }
        throw StoreError(
            "\(path) was written by a newer release of fermata, which this one cannot read: use that one",
            .newer
        )
    }

    public func simulations() async throws(StoreError) -> [SimulationRecord] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM simulations ORDER BY name").map {
                try Self.simulation(from: $0, database)
            }
        }
    }

    public func simulation(_ name: String) async throws(StoreError) -> SimulationRecord? {
        try await read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM simulations WHERE name = ?", arguments: [name]).map {
                try Self.simulation(from: $0, database)
            }
        }
    }

    public func operations(of simulation: String?, before: OperationID?, limit: Int) async throws(StoreError)
        -> [OperationRecord]
    {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM operations WHERE (?1 IS NULL OR simulation = ?1)
                    AND (?3 IS NULL OR (startedNs, id) < (SELECT startedNs, id FROM operations WHERE id = ?3))
                    ORDER BY startedNs DESC, id DESC LIMIT ?2
                    """,
                arguments: [simulation, limit, before?.text]
            ).map { try Self.operation(from: $0) }
        }
    }

    public func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        try await read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM operations WHERE id = ?", arguments: [id.text]).map {
                try Self.operation(from: $0)
            }
        }
    }

    public func unfinishedOperations() async throws(StoreError) -> [OperationRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM operations WHERE phase <> 'finished' ORDER BY startedNs, id"
            ).map { try Self.operation(from: $0) }
        }
    }

    public func checkpoints(of simulation: String?) async throws(StoreError) -> [CheckpointRecord] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM checkpoints WHERE ?1 IS NULL OR simulation = ?1 ORDER BY createdNs, id",
                arguments: [simulation]
            ).map { try Self.checkpoint(from: $0) }
        }
    }

    public func checkpoint(_ name: String, of simulation: String) async throws(StoreError) -> CheckpointRecord? {
        try await read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT * FROM checkpoints WHERE simulation = ? AND name = ?",
                arguments: [simulation, name]
            ).map { try Self.checkpoint(from: $0) }
        }
    }

    public func triggers(of simulation: String) async throws(StoreError) -> TriggerRecord? {
        try await read { database in
            try Row.fetchOne(database, sql: "SELECT record FROM triggers WHERE simulation = ?", arguments: [simulation])
                .map { try Self.triggers(from: $0) }
        }
    }

    public func hosts() async throws(StoreError) -> [HostRecord] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM hosts ORDER BY name").map { try Self.host(from: $0) }
        }
    }

    public func apply(_ change: StoreChange) async throws(StoreError) {
        do {
            try await pool.write { database in
                if let simulation = change.simulation { try Self.save(simulation, database) }
                if let operation = change.operation { try Self.save(operation, database) }
                if let removed = change.removedCheckpoint {
                    try database.execute(sql: "DELETE FROM checkpoints WHERE id = ?", arguments: [removed.id])
                }
                if let removed = change.removedSimulation {
                    try database.execute(sql: "DELETE FROM simulations WHERE name = ?", arguments: [removed])
                }
                if let host = change.host { try Self.save(host, database) }
                if let removed = change.removedHost {
                    try database.execute(sql: "DELETE FROM hosts WHERE name = ?", arguments: [removed])
                }
                for checkpoint in change.checkpoints { try Self.save(checkpoint, database) }
                if let triggers = change.triggers { try Self.save(triggers, database) }
            }
        } catch {
            throw StoreError("\(error)")
        }
    }

    /// Whoever copies the state folder afterwards finds one file. Readers go first: the journal is put into the file and removed
    /// by the last connection alone, and only if that one may write.
    public func close() async {
        pool.invalidateReadOnlyConnections()
        try? pool.close()
    }

    /// What `PRAGMA synchronous` is on the connection that writes; 2 is FULL.
    func durability() async throws -> Int? {
        try await pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw StoreError("\(error)")
        }
    }
}
