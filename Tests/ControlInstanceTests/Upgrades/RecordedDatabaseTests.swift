import DatabaseServer
import FoundationEssentials
import GRDB
import HypervisorAPI
import PostgreSQL
import Testing
import Time

@testable import ControlInstance

/// State databases that older releases have written, as they were recorded.
struct RecordedDatabaseTests {
    private typealias Content = RecordedState.Content

    /// The present schema is recorded once there is another one.
    @Test func everySchemaAndFormatThatThereWasIsRecorded() throws {
        var schemas: Set<String> = []
        var formats: Set<Int> = []
        for state in RecordedState.all {
            let folder = try TemporaryFolder()
            let content = try state.unpack(into: folder.path)
            schemas.formUnion(content.schema)
            formats.insert(content.checkpointFormat)
        }
        #expect(
            schemas.isSuperset(of: SQLiteStore.migrator.migrations.dropLast()),
            "record the one that is missing: tools/upgrade/record.py"
        )
        #expect(formats == Set(1...CheckpointManifest.currentFormat))
        #expect(!RecordedState.dumps.isEmpty)
    }

    @Test(arguments: RecordedState.all) func oneOpensAndAllIsThereThatWas(_ state: RecordedState) async throws {
        let folder = try TemporaryFolder()
        let recorded = try state.unpack(into: folder.path)
        #expect(recorded.operations.count > 3 && recorded.checkpoints.count > 1, "a recording of nothing")
        // The second time there is nothing left to migrate.
        for _ in 0..<2 {
            let store = try SQLiteStore(path: "\(folder.path)/home/state.sqlite")
            try await Self.expect(recorded, in: store)
            await store.close()
        }
    }

    /// What an older release has made is what the migrations of this one come to: none of them was changed afterwards.
    @Test(arguments: RecordedState.all) func itsTablesAreThoseOfItsMigrations(_ state: RecordedState) throws {
        let folder = try TemporaryFolder()
        let recorded = try state.unpack(into: folder.path)
        let old = try DatabaseQueue(path: "\(folder.path)/home/state.sqlite")
        let new = try DatabaseQueue()
        try SQLiteStore.migrator.migrate(new, upTo: try #require(recorded.schema.last))
        #expect(try old.read(Self.tables) == new.read(Self.tables))
    }

    private static func tables(_ database: Database) throws -> [String] {
        try String.fetchAll(database, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
    }

    private static func expect(_ recorded: Content, in store: SQLiteStore) async throws {
        let simulations = try await store.simulations().map {
            Content.Simulation(name: $0.name, state: $0.state.rawValue, checkpoint: $0.checkpoint)
        }
        #expect(simulations == recorded.simulations)
        let operations = try await store.operations(of: nil, limit: 100)
        #expect(
            operations.reversed().map {
                Content.Operation(
                    id: $0.id.text,
                    kind: $0.kind.rawValue,
                    simulation: $0.simulation,
                    phase: $0.state.phase.rawValue,
                    outcome: $0.state.outcome?.rawValue
                )
            } == recorded.operations
        )
        #expect(operations.allSatisfy { $0.report?.machines.isEmpty == false }, "their reports are read, too")
        let checkpoints = try await store.checkpoints(of: nil).map {
            Content.Checkpoint(
                id: $0.id,
                simulation: $0.simulation,
                name: $0.name,
                parent: $0.parent,
                instantNs: $0.instant.nanosecondsSinceEpoch
            )
        }
        #expect(checkpoints == recorded.checkpoints)
    }

    // MARK: - On a server

    @Test(
        .enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"),
        arguments: RecordedState.dumps
    )
    func oneOnAServerOpensAndAllIsThereThatWas(_ dump: String) async throws {
        let address = try DatabaseServer.shared.get().database(of: dump)
        let store = try await StorePlace(kind: .postgresql, address: address).open("heir")
        #expect(try await store.simulations().map(\.name) == ["old", "twin"])
        #expect(try await store.checkpoints(of: "old").map(\.name) == ["first", "second"])
        let first = try #require(try await store.checkpoint("first", of: "old"))
        #expect(first.annotations.labels["stage"] == "login")
        #expect(first.keeper == "desk", "its folder is that of who has made it")
        let kinds = try await store.operations(of: "old", limit: 100).reversed().map(\.kind)
        #expect(kinds == [.start, .suspend, .resume, .suspend])
        #expect(try await store.unfinishedOperations().isEmpty)
        await store.close()
    }
}
