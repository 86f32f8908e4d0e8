import FoundationEssentials
import GRDB
import GuestClock
import HypervisorAPI
import Time

extension SQLiteStore {
    static func simulation(from row: Row, _ database: Database) throws -> SimulationRecord {
        let name: String = try value(row, "name")
        let machines = try Row.fetchAll(
            database,
            sql: "SELECT * FROM machines WHERE simulation = ? ORDER BY position",
            arguments: [name]
        ).map { machine in
            MachineRecord(
                name: try value(machine, "name"),
                host: try value(machine, "host"),
                adopted: try value(machine, "adopted")
            )
        }
        return SimulationRecord(
            name: name,
            state: try word(row, "state"),
            spec: try json(row, "spec"),
            machines: machines,
            checkpoint: optionalValue(row, "checkpoint"),
            origin: try optionalJSON(row, "origin"),
            created: try instant(row, "createdNs")
        )
    }

    static func save(_ simulation: SimulationRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO simulations (name, state, spec, checkpoint, origin, createdNs) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET state = excluded.state, spec = excluded.spec,
                    checkpoint = excluded.checkpoint, origin = excluded.origin, createdNs = excluded.createdNs
                """,
            arguments: [
                simulation.name, simulation.state.rawValue, try text(simulation.spec), simulation.checkpoint,
                try simulation.origin.map { try text($0) }, simulation.created.nanosecondsSinceEpoch,
            ]
        )
        try database.execute(sql: "DELETE FROM machines WHERE simulation = ?", arguments: [simulation.name])
        let insert = try database.cachedStatement(
            sql: "INSERT INTO machines (simulation, position, name, host, adopted) VALUES (?, ?, ?, ?, ?)"
        )
        for (position, machine) in simulation.machines.enumerated() {
            try insert.execute(arguments: [simulation.name, position, machine.name, machine.host, machine.adopted])
        }
    }

    static func triggers(from row: Row) throws -> TriggerRecord { try json(row, "record") }

    static func save(_ triggers: TriggerRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO triggers (simulation, record) VALUES (?, ?)
                ON CONFLICT (simulation) DO UPDATE SET record = excluded.record
                """,
            arguments: [triggers.simulation, try text(triggers)]
        )
    }

    static func host(from row: Row) throws -> HostRecord {
        HostRecord(
            name: try value(row, "name"),
            address: try value(row, "address"),
            labels: try json(row, "labels"),
            drained: try value(row, "drained"),
            added: try instant(row, "addedNs")
        )
    }

    static func save(_ host: HostRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO hosts (name, address, labels, drained, addedNs) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET address = excluded.address, labels = excluded.labels,
                    drained = excluded.drained
                """,
            arguments: [
                host.name, host.address, try text(host.labels), host.drained, host.added.nanosecondsSinceEpoch,
            ]
        )
    }

    static func operation(from row: Row) throws -> OperationRecord {
        let instantNs: Int64? = optionalValue(row, "instantNs")
        let finishedNs: Int64? = optionalValue(row, "finishedNs")
        let report: String? = optionalValue(row, "report")
        return OperationRecord(
            id: OperationID(text: try value(row, "id")),
            kind: try word(row, "kind"),
            simulation: try value(row, "simulation"),
            checkpoint: optionalValue(row, "checkpoint"),
            hosts: try json(row, "hosts"),
            target: try json(row, "target"),
            trigger: optionalValue(row, "cause"),
            state: OperationState(
                phase: try word(row, "phase"),
                instant: instantNs.map(HostInstant.init(nanosecondsSinceEpoch:)),
                decision: try optionalWord(row, "decision"),
                outcome: try optionalWord(row, "outcome")
            ),
            started: try instant(row, "startedNs"),
            finished: finishedNs.map(HostInstant.init(nanosecondsSinceEpoch:)),
            report: try report.map { try JSONDecoder().decode(OperationReport.self, from: Data($0.utf8)) }
        )
    }

    static func save(_ operation: OperationRecord, _ database: Database) throws {
        let report = try operation.report.map { try text($0) }
        // What it is about does not change, and is large: it is written once.
        try database.execute(
            sql: """
                UPDATE operations SET phase = ?, instantNs = ?, decision = COALESCE(?, decision), outcome = ?, finishedNs = ?,
                    report = COALESCE(?, report)
                WHERE id = ?
                """,
            arguments: [
                operation.state.phase.rawValue, operation.state.instant?.nanosecondsSinceEpoch,
                operation.state.decision?.rawValue, operation.state.outcome?.rawValue,
                operation.finished?.nanosecondsSinceEpoch, report, operation.id.text,
            ]
        )
        if database.changesCount == 0 {
            try database.execute(
                sql: """
                    INSERT INTO operations (id, kind, simulation, checkpoint, hosts, target, cause, phase, instantNs, decision, outcome,
                        startedNs, finishedNs, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    operation.id.text, operation.kind.rawValue, operation.simulation, operation.checkpoint,
                    try text(operation.hosts), try text(operation.target), operation.trigger,
                    operation.state.phase.rawValue,
                    operation.state.instant?.nanosecondsSinceEpoch, operation.state.decision?.rawValue,
                    operation.state.outcome?.rawValue, operation.started.nanosecondsSinceEpoch,
                    operation.finished?.nanosecondsSinceEpoch, report,
                ]
            )
        }
        // One that is not over will be written again; meanwhile a guest may stand still.
        guard let report = operation.report, operation.state.phase == .finished else { return }
        try saveStages(of: report, database)
        try saveClockStates(of: report, database)
    }

    /// The report's parts once more in columns, to be asked over many operations.
    private static func saveStages(of report: OperationReport, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM stages WHERE operation = ?", arguments: [report.operation.text])
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO stages (operation, position, machine, name, startedNs, durationNs, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        )
        for (position, stage) in (report.stages + report.machines.flatMap(\.stages)).enumerated() {
            try insert.execute(arguments: [
                report.operation.text, position, stage.machine, stage.name, stage.started.nanosecondsSinceEpoch,
                stage.duration.nanoseconds, stage.bytes.map(Int64.init(clamping:)),
            ])
        }
    }

    private static func saveClockStates(of report: OperationReport, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM clockStates WHERE operation = ?", arguments: [report.operation.text])
        let insert = try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO clockStates (operation, machine, moment, rtcNs, kvmclockNs, virtualNs, state)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        )
        for machine in report.machines {
            for (moment, clock) in [("instant", machine.clock), ("before", machine.clockBefore)] {
                guard let clock else { continue }
                try insert.execute(arguments: [
                    report.operation.text, machine.name, moment, clock.rtcNs, clock.kvmclockNs, clock.virtualNs,
                    try text(clock),
                ])
            }
        }
    }

    static func checkpoint(from row: Row) throws -> CheckpointRecord {
        CheckpointRecord(
            id: try value(row, "id"),
            simulation: try value(row, "simulation"),
            name: try value(row, "name"),
            parent: optionalValue(row, "parent"),
            origin: try optionalJSON(row, "origin"),
            operation: OperationID(text: try value(row, "operation")),
            instant: try instant(row, "instantNs"),
            created: try instant(row, "createdNs"),
            machines: try json(row, "machines"),
            bytes: UInt64(clamping: try value(row, "bytes") as Int64),
            annotations: try json(row, "annotations")
        )
    }

    static func save(_ checkpoint: CheckpointRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO checkpoints
                    (id, simulation, name, parent, origin, operation, instantNs, createdNs, machines, bytes, annotations)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, origin = excluded.origin,
                    annotations = excluded.annotations
                """,
            arguments: [
                checkpoint.id, checkpoint.simulation, checkpoint.name, checkpoint.parent,
                try checkpoint.origin.map { try text($0) }, checkpoint.operation.text,
                checkpoint.instant.nanosecondsSinceEpoch, checkpoint.created.nanosecondsSinceEpoch,
                try text(checkpoint.machines), Int64(clamping: checkpoint.bytes), try text(checkpoint.annotations),
            ]
        )
    }

    // MARK: - Columns

    private static func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    /// GRDB's own subscripts end the process when a column does not hold what is asked for.
    private static func value<Value: DatabaseValueConvertible>(_ row: Row, _ column: String) throws -> Value {
        guard let value: Value = optionalValue(row, column) else {
            throw StoreError("column \(column) holds no \(Value.self)")
        }
        return value
    }

    private static func optionalValue<Value: DatabaseValueConvertible>(_ row: Row, _ column: String) -> Value? {
        Value.fromDatabaseValue(row[column] as DatabaseValue)
    }

    private static func json<Value: Decodable>(_ row: Row, _ column: String) throws -> Value {
        let text: String = try value(row, column)
        return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    private static func optionalJSON<Value: Decodable>(_ row: Row, _ column: String) throws -> Value? {
        let text: String? = optionalValue(row, column)
        return try text == nil ? nil : json(row, column)
    }

    private static func instant(_ row: Row, _ column: String) throws -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: try value(row, column))
    }

    private static func word<Value: RawRepresentable<String>>(_ row: Row, _ column: String) throws -> Value {
        let text: String = try value(row, column)
        guard let value = Value(rawValue: text) else {
            throw StoreError("column \(column) holds '\(text)', which means nothing")
        }
        return value
    }

    private static func optionalWord<Value: RawRepresentable<String>>(_ row: Row, _ column: String) throws -> Value? {
        let text: String? = optionalValue(row, column)
        return try text == nil ? nil : word(row, column)
    }
}
