import DatabaseServer
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// What every state database does.
struct StoreTests {
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

    /// With a report that has all parts.
    static func finished() -> OperationRecord {
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
        return operation
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

    @Test(arguments: StoreKind.available) func everyRecordComesBackAsItWas(_ kind: StoreKind) async throws {
        let folder = try TemporaryFolder()
        let place = try kind.place(folder.path)
        let store = try await place.open()
        let operation = Self.finished()
        var checkpoint = Self.checkpoint("s1")
        try await store.apply(
            StoreChange(simulation: Self.simulation, operation: operation, checkpoints: [checkpoint])
        )
        #expect(try await store.simulations() == [Self.simulation])
        #expect(try await store.simulation("sim") == Self.simulation)
        #expect(try await store.operation(operation.id) == operation)
        checkpoint.bytes = UInt64(Int64.max)
        #expect(try await store.checkpoint("s1", of: "sim") == checkpoint, "SQLite's numbers end there")
        await store.close()
        // Also after a new start.
        let second = try await place.open()
        #expect(try await second.operation(operation.id) == operation)
        #expect(try await second.simulation("sim") == Self.simulation)
        await second.close()
    }

    @Test(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
    func theyAreTestedWithPostgreSQLToo() { #expect(StoreKind.available == StoreKind.allCases) }

    @Test(arguments: StoreKind.available) func anOperationKeepsItsReportUntilThereIsAnother(_ kind: StoreKind)
        async throws
    {
        let bench = try await Bench(kind)
        var operation = Self.operation("op")
        operation.report = operation.report(.unknown)
        try await bench.store.apply(StoreChange(operation: operation))
        var later = operation
        later.state = OperationState(phase: .deciding, instant: nil, decision: .commit, outcome: nil)
        later.report = nil
        try await bench.store.apply(StoreChange(operation: later))
        later.report = operation.report
        #expect(try await bench.store.operation(operation.id) == later)
        later.report = operation.report(.done)
        try await bench.store.apply(StoreChange(operation: later))
        #expect(try await bench.store.operation(operation.id)?.report?.outcome == .done)
    }

    @Test(arguments: StoreKind.available) func theSameChangeTwiceIsAsGoodAsOnce(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
        try await bench.store.apply(StoreChange(checkpoints: [Self.checkpoint("old")]))
        let change = StoreChange(
            simulation: Self.simulation,
            operation: Self.operation("op"),
            checkpoints: [Self.checkpoint("new", parent: "old")],
            removedCheckpoint: Self.checkpoint("old"),
            host: HostRecord(name: "lab2", address: "lab2:1", added: HostInstant(nanosecondsSinceEpoch: 1))
        )
        for _ in 0..<2 { try await bench.store.apply(change) }
        #expect(try await bench.store.checkpoints(of: nil).map(\.name) == ["new"])
        #expect(try await bench.store.unfinishedOperations().count == 1)
        #expect(try await bench.store.hosts().map(\.name) == ["lab2"])
        for _ in 0..<2 { try await bench.store.apply(StoreChange(removedSimulation: "sim", removedHost: "lab2")) }
        #expect(try await bench.store.simulations().isEmpty)
        #expect(try await bench.store.hosts().isEmpty)
    }

    @Test(arguments: StoreKind.available) func whatIsClaimedCanBeChangedAndReleased(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
        for _ in 0..<2 {
            try await bench.store.claim("sim")
            try await bench.store.apply(StoreChange(simulation: Self.simulation))
            bench.store.release("sim")
        }
        try await bench.store.apply(StoreChange(simulation: Self.simulation))
        #expect(try await bench.store.peers().isEmpty)
    }

    /// Who writes an operation of whose decision he does not know takes it back for nobody.
    @Test(arguments: StoreKind.available) func aDecisionStays(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
        for decision in [OperationState.Decision.commit, nil] {
            let state = OperationState(phase: .deciding, instant: nil, decision: decision, outcome: nil)
            try await bench.store.apply(StoreChange(operation: Self.operation("op", state)))
        }
        #expect(try await bench.store.operation(OperationID(text: "op"))?.state.decision == .commit)
    }

    @Test(arguments: StoreKind.available) func recordsAreReplacedAndListedInOrder(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
        for (id, started) in [("b", 2), ("a", 1), ("c", 3)] as [(String, Int64)] {
            try await bench.store.apply(StoreChange(operation: Self.operation(id, started: started)))
        }
        var done = OperationState()
        try done.finish(.failed)
        try await bench.store.apply(StoreChange(operation: Self.operation("a", done)))
        #expect(try await bench.store.operations(of: "sim", limit: 2).map(\.id.text) == ["c", "b"])
        #expect(try await bench.store.operations(of: "other", limit: 2).isEmpty)
        let last = try #require(try await bench.store.operations(of: "sim", limit: 1).first?.id)
        let rest = try await bench.store.operations(of: "sim", before: last, limit: 9).map(\.id.text)
        #expect(rest == ["b", "a"])
        let oldest = OperationID(text: "a")
        #expect(try await bench.store.operations(of: "sim", before: oldest, limit: 9).isEmpty)
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

    @Test(arguments: StoreKind.available) func aChangeIsWholeOrNothing(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
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

    @Test(arguments: StoreKind.available) func triggersBelongToTheirSimulation(_ kind: StoreKind) async throws {
        let bench = try await Bench(kind)
        var record = TriggerRecord(
            simulation: "sim",
            states: [
                TriggerState(.done, met: HostInstant(nanosecondsSinceEpoch: 3), operation: OperationID(text: "op")),
                TriggerState(.failed, problem: "it did not"), TriggerState(),
            ],
            clock: RunClock(since: HostInstant(nanosecondsSinceEpoch: 7))
        )
        await #expect(throws: StoreError.self) { try await bench.store.apply(StoreChange(triggers: record)) }
        var operation = Self.finished()
        operation.trigger = "a says /x/"
        for _ in 0..<2 {
            try await bench.store.apply(
                StoreChange(simulation: Self.simulation, operation: operation, triggers: record)
            )
        }
        #expect(try await bench.store.triggers(of: "sim") == record)
        #expect(try await bench.store.operation(operation.id)?.trigger == "a says /x/")
        record.states[2].phase = .due
        try await bench.store.apply(StoreChange(triggers: record))
        // A simulation that is written anew keeps them.
        try await bench.store.apply(StoreChange(simulation: Self.simulation))
        #expect(try await bench.store.triggers(of: "sim") == record)
        #expect(try await bench.store.triggers(of: "another") == nil)
        try await bench.store.apply(StoreChange(removedSimulation: "sim"))
        #expect(try await bench.store.triggers(of: "sim") == nil)
    }
}
