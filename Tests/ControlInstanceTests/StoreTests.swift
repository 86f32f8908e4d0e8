import FoundationEssentials
import GRDB
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

struct SQLiteStoreTests {
    static let simulation = SimulationRecord(
        name: "sim",
        state: .running,
        spec: Bench.spec,
        machines: [
            MachineRecord(name: "z", host: "left", adopted: false),
            MachineRecord(name: "a", host: "right", adopted: true),
        ],
        checkpoint: "s1",
        origin: Origin(simulation: "old", checkpoint: "x", id: "i"),
        created: HostInstant(nanosecondsSinceEpoch: -5)
    )

    static func operation(_ id: String, _ state: OperationState = OperationState(), started: Int64 = 1)
        -> OperationRecord
    {
        OperationRecord(
            id: OperationID(text: id),
            kind: .resume,
            simulation: "sim",
            checkpoint: "s1",
            hosts: ["left", "right"],
            target: simulation,
            state: state,
            started: HostInstant(nanosecondsSinceEpoch: started)
        )
    }

    static func checkpoint(_ name: String, parent: String? = nil, created: Int64 = 1) -> CheckpointRecord {
        CheckpointRecord(
            id: "id-\(name)",
            simulation: "sim",
            name: name,
            parent: parent,
            origin: parent == nil ? Origin(simulation: "old", checkpoint: "x", id: "i") : nil,
            operation: OperationID(text: "op"),
            instant: HostInstant(nanosecondsSinceEpoch: 3),
            created: HostInstant(nanosecondsSinceEpoch: created),
            machines: ["a", "b"],
            bytes: .max,
            annotations: Annotations(labels: ["k": "v"], note: "n")
        )
    }

    @Test func everyRecordComesBackAsItWas() async throws {
        let bench = try Bench()
        var operation = Self.operation(
            "op",
            OperationState(
                phase: .finished,
                instant: HostInstant(nanosecondsSinceEpoch: .max),
                decision: .commit,
                outcome: .done
            )
        )
        operation.finished = HostInstant(nanosecondsSinceEpoch: 9)
        var report = operation.report(.done)
        report.machines = [
            OperationReport.MachineResult(
                name: "a",
                host: "left",
                clock: .sample(at: HostInstant(nanosecondsSinceEpoch: 1)),
                clockBefore: .sample(at: HostInstant(nanosecondsSinceEpoch: 2)),
                stages: [
                    OperationReport.Stage(
                        machine: "a",
                        name: "load",
                        started: HostInstant(nanosecondsSinceEpoch: 1),
                        duration: .seconds(1),
                        bytes: 7
                    )
                ]
            )
        ]
        operation.report = report
        var checkpoint = Self.checkpoint("s1")
        try await bench.store.apply(
            StoreChange(simulation: Self.simulation, operation: operation, checkpoints: [checkpoint])
        )
        #expect(try await bench.store.simulations() == [Self.simulation])
        #expect(try await bench.store.simulation("sim") == Self.simulation)
        #expect(try await bench.store.operation(operation.id) == operation)
        checkpoint.bytes = UInt64(Int64.max)
        #expect(try await bench.store.checkpoint("s1", of: "sim") == checkpoint, "SQLite's numbers end there")
        // Also in another connection, after a new start.
        let second = try SQLiteStore(path: "\(bench.home)/state.sqlite")
        #expect(try await second.operation(operation.id) == operation)
        let queue = try DatabaseQueue(path: "\(bench.home)/state.sqlite")
        let counts = try await queue.read { database in
            [
                try Int.fetchOne(database, sql: "SELECT count(*) FROM stages WHERE name = 'load' AND bytes = 7"),
                try Int.fetchOne(database, sql: "SELECT count(*) FROM clockStates WHERE machine = 'a'"),
            ]
        }
        #expect(counts == [1, 2])
    }

    @Test func recordsAreReplacedAndListedInOrder() async throws {
        let bench = try Bench()
        for (id, started) in [("b", 2), ("a", 1), ("c", 3)] as [(String, Int64)] {
            try await bench.store.apply(StoreChange(operation: Self.operation(id, started: started)))
        }
        var done = OperationState()
        try done.finish(.failed)
        try await bench.store.apply(StoreChange(operation: Self.operation("a", done)))
        #expect(try await bench.store.operations(of: "sim", limit: 2).map(\.id.text) == ["c", "b"])
        #expect(try await bench.store.operations(of: "other", limit: 2).isEmpty)
        #expect(try await bench.store.unfinishedOperations().map(\.id.text) == ["b", "c"])

        var simulation = Self.simulation
        try await bench.store.apply(StoreChange(simulation: simulation))
        simulation.state = .down
        simulation.machines.removeFirst()
        try await bench.store.apply(StoreChange(simulation: simulation))
        #expect(try await bench.store.simulations() == [simulation])

        try await bench.store.apply(
            StoreChange(checkpoints: [Self.checkpoint("new", parent: "old", created: 2), Self.checkpoint("old")])
        )
        try await bench.store.apply(
            StoreChange(checkpoints: [Self.checkpoint("new")], removedCheckpoint: Self.checkpoint("old"))
        )
        #expect(try await bench.store.checkpoints(of: "sim").map(\.name) == ["new"])
        #expect(try await bench.store.checkpoint("new", of: "sim")?.parent == nil)
    }

    @Test func aChangeIsWholeOrNothing() async throws {
        let bench = try Bench()
        try await bench.store.apply(StoreChange(checkpoints: [Self.checkpoint("s1")]))
        var clash = Self.checkpoint("s1")
        clash.id = "another"
        await #expect(throws: StoreError.self) {
            try await bench.store.apply(
                StoreChange(simulation: Self.simulation, operation: Self.operation("op"), checkpoints: [clash])
            )
        }
        #expect(try await bench.store.simulations().isEmpty)
        #expect(try await bench.store.operation(OperationID(text: "op")) == nil)
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
        let bench = try Bench()
        #expect(try await bench.store.durability() == 2, "PRAGMA synchronous = FULL on the connection that writes")
    }

    @Test func wordsThatMeanNothingAreAnErrorNotACrash() async throws {
        let bench = try Bench()
        try await bench.store.apply(StoreChange(simulation: Self.simulation, operation: Self.operation("op")))
        let queue = try DatabaseQueue(path: "\(bench.home)/state.sqlite")
        try await queue.write { database in
            try database.execute(sql: "UPDATE simulations SET state = 'dreaming'")
            try database.execute(sql: "UPDATE operations SET report = '{', hosts = 'x'")
        }
        await #expect(throws: StoreError.self) { try await bench.store.simulations() }
        await #expect(throws: StoreError.self) { try await bench.store.operation(OperationID(text: "op")) }
    }
}
