import DatabaseServer
import FoundationEssentials
import GRDB
import HypervisorAPI
import PostgreSQL
import Testing

@testable import ControlInstance

/// What becomes of a state database on the way from one release to the next.
struct MigrationTests {
    /// A database as it is after the first migrations, with one record of each kind.
    private static func database(at path: String, upTo migration: String) throws {
        let queue = try DatabaseQueue(path: path)
        try SQLiteStore.migrator.migrate(queue, upTo: migration)
        let text = { (value: any Encodable) in String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }
        var target = StoreTests.simulation
        target.origin = nil
        let spec = try text(target.spec)
        let record = try text(target)
        // The columns of the first release: all later ones have defaults.
        try queue.write { database in
            try database.execute(
                sql:
                    "INSERT INTO simulations (name, state, spec, checkpoint, createdNs) VALUES ('sim', 'running', ?, 's1', -5)",
                arguments: [spec]
            )
            try database.execute(
                sql: """
                    INSERT INTO machines (simulation, position, name, host, adopted)
                    VALUES ('sim', 0, 'z', 'left', 0), ('sim', 1, 'a', 'right', 1)
                    """
            )
            try database.execute(
                sql: """
                    INSERT INTO operations (id, kind, simulation, checkpoint, hosts, target, phase, startedNs)
                    VALUES ('op', 'resume', 'sim', 's1', '["left", "right"]', ?, 'prepared', 1)
                    """,
                arguments: [record]
            )
            try database.execute(
                sql: """
                    INSERT INTO checkpoints (id, simulation, name, operation, instantNs, createdNs, machines, bytes)
                    VALUES ('id-s1', 'sim', 's1', 'op', 3, 1, '["a", "b"]', 7)
                    """
            )
        }
        try queue.close()
    }

    private static func expectAll(in store: SQLiteStore, _ comment: Comment) async throws {
        var simulation = StoreTests.simulation
        simulation.origin = nil
        #expect(try await store.simulations() == [simulation], comment)
        let operation = try await store.unfinishedOperations().first
        #expect(operation?.id.text == "op" && operation?.target == simulation, comment)
        let checkpoint = try await store.checkpoint("s1", of: "sim")
        #expect(checkpoint?.bytes == 7 && checkpoint?.annotations == Annotations.none, comment)
        #expect(try await store.hosts().isEmpty, comment)
    }

    private static func applied(_ path: String) throws -> [String] {
        try DatabaseQueue(path: path).read { try SQLiteStore.migrator.appliedMigrations($0) }
    }

    @Test(arguments: SQLiteStore.migrator.migrations)
    func aDatabaseOfEachReleaseIsMigratedWithAllThatIsInIt(_ migration: String) async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/state.sqlite"
        try Self.database(at: path, upTo: migration)
        let store = try SQLiteStore(path: path)
        try await Self.expectAll(in: store, "\(migration)")
        // And can be written.
        try await store.apply(
            StoreChange(simulation: StoreTests.simulation, checkpoints: [StoreTests.checkpoint("s2", parent: "s1")])
        )
        #expect(try await store.checkpoints(of: nil).count == 2)
        #expect(try Self.applied(path) == SQLiteStore.migrator.migrations)
    }

    /// What `kill -9` leaves at each moment: the files as the kernel has them.
    @Test func oneThatIsCutShortLeavesTheOldOneOrTheNew() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/state.sqlite"
        let migrations = SQLiteStore.migrator.migrations
        try Self.database(at: path, upTo: migrations[0])
        let pool = try DatabasePool(path: path)
        let camera = Camera(of: path)
        pool.add(transactionObserver: camera, extent: .databaseLifetime)
        try SQLiteStore.migrator.migrate(pool)
        try pool.close()
        // Before and after the end of each.
        #expect(camera.pictures.count >= 2 * (migrations.count - 1), "\(camera.pictures)")
        var seen: Set<Int> = []
        for picture in camera.pictures {
            let applied = try Self.applied(picture)
            #expect(applied == Array(migrations.prefix(applied.count)) && !applied.isEmpty, "\(picture)")
            seen.insert(applied.count)
            try await Self.expectAll(in: SQLiteStore(path: picture), "\(picture) with \(applied)")
        }
        #expect(seen == Set(1...migrations.count), "one was never found in between")
    }

    @Test func aDatabaseOfANewerReleaseIsRefusedAndNotTouched() throws {
        let folder = try TemporaryFolder()
        let (path, copy) = ("\(folder.path)/state.sqlite", "\(folder.path)/copy.sqlite")
        var migrator = SQLiteStore.migrator
        migrator.registerMigration("999: future") { try $0.execute(sql: "CREATE TABLE future (x)") }
        let pool = try DatabasePool(path: path)
        try migrator.migrate(pool)
        // As after a crash: not all of it is in the file yet.
        try Camera.copy(path, to: copy)
        try pool.close()
        let files = [copy, "\(copy)-wal"]
        let before = try files.map { try Data(contentsOf: URL(filePath: $0)) }
        #expect(before.allSatisfy { !$0.isEmpty }, "there is no journal to be left alone")
        for _ in 0..<2 {
            let error = #expect(throws: StoreError.self) { try SQLiteStore(path: copy) }
            #expect(error?.kind == .newer && error?.message.contains("newer release") == true)
        }
        #expect(try files.map { try Data(contentsOf: URL(filePath: $0)) } == before)
        // And that one can go on.
        let isThere = try DatabaseQueue(path: copy).read { try $0.tableExists("future") }
        #expect(isThere)
    }

    @Test(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
    func oneOnAServerThatIsCutShortLeavesTheOldOne() async throws {
        let place = try StoreKind.postgresql.place("")
        let store = try await place.open()
        try await store.apply(StoreChange(simulation: StoreTests.simulation))
        await store.close()
        let cut = PostgreSQLStore.Migration(
            version: 1 + (PostgreSQLStore.migrations.map(\.version).max() ?? 0),
            name: "cut",
            statements: ["ALTER TABLE simulations ADD COLUMN x TEXT", "SELECT pg_terminate_backend(pg_backend_pid())"]
        )
        let client = try PostgreSQLClient(PostgreSQLAddress(place.address))
        await #expect(throws: (any Error).self) {
            try await client.transaction {
                try PostgreSQLStore.migrate($0, "here", known: PostgreSQLStore.migrations + [cut])
            }
        }
        let columns = try await client.transaction {
            try $0.run(
                "SELECT 1 FROM information_schema.columns WHERE table_name = 'simulations' AND column_name = 'x'"
            )
            .rows.count
        }
        #expect(columns == 0)
        let again = try await place.open()
        #expect(try await again.simulations() == [StoreTests.simulation])
        await again.close()
    }

    @Test(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
    func oneOnAServerOfANewerReleaseIsRefusedAndNotTouched() async throws {
        let place = try StoreKind.postgresql.place("")
        await (try await place.open()).close()
        let client = try PostgreSQLClient(PostgreSQLAddress(place.address))
        // Whatever it was that a newer release needed it for.
        _ = try await client.transaction { session in
            try session.run("ALTER TABLE simulations ADD COLUMN x TEXT NOT NULL")
            try session.run("DELETE FROM instances")
            return try session.run("INSERT INTO fermata_schema (version, name) VALUES (999, 'future')").affected
        }
        let error = await #expect(throws: StoreError.self) { try await place.open() }
        #expect(error?.kind == .newer)
        let instances = try await client.transaction { try $0.run("SELECT id FROM instances").rows.count }
        #expect(instances == 0, "nobody has written that it is there")
    }
}
