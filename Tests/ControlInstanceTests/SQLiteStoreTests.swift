import FoundationEssentials
import GRDB
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// What is SQLite's alone.
struct SQLiteStoreTests {
    private func bench() throws -> (Bench, SQLiteStore) {
        let bench = try Bench()
        return (bench, try #require(bench.store as? SQLiteStore))
    }

    @Test func stagesAndClocksOfAReportAreInColumnsOfTheirOwn() async throws {
        let (bench, store) = try bench()
        try await store.apply(StoreChange(operation: StoreTests.finished()))
        let queue = try DatabaseQueue(path: "\(bench.home)/state.sqlite")
        let counts = try await queue.read { database in
            [
                try Int.fetchOne(database, sql: "SELECT count(*) FROM stages WHERE name = 'load' AND bytes = 7"),
                try Int.fetchOne(database, sql: "SELECT count(*) FROM clockStates WHERE machine = 'a'"),
            ]
        }
        #expect(counts == [1, 2])
    }

    @Test func whatIsClosedLeavesOneFileAlsoWhileItIsHeld() async throws {
        let (bench, store) = try bench()
        let journal = "\(bench.home)/state.sqlite-wal"
        try await store.apply(StoreChange(operation: StoreTests.finished()))
        _ = try await store.operations(of: nil, limit: 1)
        #expect(FileManager.default.fileExists(atPath: journal))
        await store.close()
        #expect(!FileManager.default.fileExists(atPath: journal))
        await #expect(throws: StoreError.self) { try await store.operations(of: nil, limit: 1) }
    }

    @Test func aDatabaseOfANewerReleaseIsRefusedAndNotTouched() async throws {
        let bench = try Bench()
        let path = "\(bench.home)/newer.sqlite"
        do {
            let queue = try DatabaseQueue(path: path)
            var migrator = SQLiteStore.migrator
            migrator.registerMigration("999") { try $0.execute(sql: "CREATE TABLE future (x)") }
            try migrator.migrate(queue)
        }
        let error = #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
        #expect(error?.message.contains("newer release") == true)
    }

    @Test func aDatabaseFromBeforeTriggersGoesOn() async throws {
        let bench = try Bench()
        let path = "\(bench.home)/older.sqlite"
        do {
            let queue = try DatabaseQueue(path: path)
            try SQLiteStore.migrator.migrate(queue, upTo: "4: hosts")
            let spec = String(decoding: try JSONEncoder().encode(Bench.spec), as: UTF8.self)
            let target = String(decoding: try JSONEncoder().encode(StoreTests.simulation), as: UTF8.self)
            try await queue.write { database in
                try database.execute(
                    sql: "INSERT INTO simulations (name, state, spec, createdNs) VALUES ('sim', 'running', ?, 1)",
                    arguments: [spec]
                )
                try database.execute(
                    sql: """
                        INSERT INTO operations (id, kind, simulation, hosts, target, phase, startedNs)
                        VALUES ('op', 'start', 'sim', '[]', ?, 'preparing', 1)
                        """,
                    arguments: [target]
                )
            }
        }
        let store = try SQLiteStore(path: path)
        #expect(try await store.simulation("sim")?.state == .running)
        #expect(try await store.operation(OperationID(text: "op"))?.trigger == nil)
        #expect(try await store.triggers(of: "sim") == nil)
        let record = TriggerRecord(of: Bench.spec, from: nil, at: HostInstant(nanosecondsSinceEpoch: 1))
        try await store.apply(StoreChange(triggers: record))
        #expect(try await store.triggers(of: "sim") == record)
    }

    @Test func aFileThatIsNoDatabaseIsRefused() throws {
        let bench = try Bench()
        let path = "\(bench.home)/not.sqlite"
        try Data("this is no database at all, but long enough to look like one".utf8).write(to: URL(filePath: path))
        #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
        #expect(throws: StoreError.self) { try SQLiteStore(path: "/nowhere/state.sqlite") }
    }

    @Test func aTransactionIsOnTheDiskBeforeAnybodyIsTold() async throws {
        let (_, store) = try bench()
        #expect(try await store.durability() == 2, "PRAGMA synchronous = FULL on the connection that writes")
    }

    @Test func wordsThatMeanNothingAreAnErrorNotACrash() async throws {
        let bench = try Bench()
        try await bench.store.apply(
            StoreChange(simulation: StoreTests.simulation, operation: StoreTests.operation("op"))
        )
        let queue = try DatabaseQueue(path: "\(bench.home)/state.sqlite")
        try await queue.write { database in
            try database.execute(sql: "UPDATE simulations SET state = 'dreaming'")
            try database.execute(sql: "UPDATE operations SET report = '{', hosts = 'x'")
        }
        await #expect(throws: StoreError.self) { try await bench.store.simulations() }
        await #expect(throws: StoreError.self) { try await bench.store.operation(OperationID(text: "op")) }
    }
}
