import FoundationEssentials
import GRDB
import HypervisorAPI
import Testing

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
