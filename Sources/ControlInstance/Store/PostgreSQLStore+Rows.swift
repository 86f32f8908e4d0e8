import FoundationEssentials
import GuestClock
import HypervisorAPI
import PostgreSQL
import Time

extension PostgreSQLStore {
    static func simulationRecord(_ row: PostgreSQLRow) throws -> SimulationRecord {
        SimulationRecord(
            name: try row.text("name"),
            state: try row.word("state"),
            spec: try row.json("spec"),
            machines: try row.json("machines"),
            checkpoint: try row.optionalText("checkpoint"),
            origin: try row.optionalJSON("origin"),
            created: try row.instant("created_ns")
        )
    }

    static func save(_ simulation: SimulationRecord, _ session: PostgreSQLSession) throws {
        try session.run(
            """
            INSERT INTO simulations (name, state, spec, machines, checkpoint, origin, created_ns)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (name) DO UPDATE SET state = excluded.state, spec = excluded.spec, machines = excluded.machines,
                checkpoint = excluded.checkpoint, origin = excluded.origin, created_ns = excluded.created_ns
            """,
            [
                .text(simulation.name), .text(simulation.state.rawValue), try .json(simulation.spec),
                try .json(simulation.machines), .text(simulation.checkpoint), try .optionalJSON(simulation.origin),
                .instant(simulation.created),
            ]
        )
    }

    static func triggerRecord(_ row: PostgreSQLRow) throws -> TriggerRecord { try row.json("record") }

    static func save(_ triggers: TriggerRecord, _ session: PostgreSQLSession) throws {
        try session.run(
            """
            INSERT INTO triggers (simulation, record) VALUES ($1, $2)
            ON CONFLICT (simulation) DO UPDATE SET record = excluded.record
            """,
            [.text(triggers.simulation), try .json(triggers)]
        )
    }

    static func hostRecord(_ row: PostgreSQLRow) throws -> HostRecord {
        HostRecord(
            name: try row.text("name"),
            address: try row.text("address"),
            labels: try row.json("labels"),
            drained: try row.boolean("drained"),
            added: try row.instant("added_ns")
        )
    }

    static func save(_ host: HostRecord, _ session: PostgreSQLSession) throws {
        try session.run(
            """
            INSERT INTO hosts (name, address, labels, drained, added_ns) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (name) DO UPDATE SET address = excluded.address, labels = excluded.labels,
                drained = excluded.drained
            """,
            [
                .text(host.name), .text(host.address), try .json(host.labels), .boolean(host.drained),
                .instant(host.added),
            ]
        )
    }

    static func operationRecord(_ row: PostgreSQLRow) throws -> OperationRecord {
        OperationRecord(
            id: OperationID(text: try row.text("id")),
            kind: try row.word("kind"),
            simulation: try row.text("simulation"),
            checkpoint: try row.optionalText("checkpoint"),
            hosts: try row.json("hosts"),
            target: try row.json("target"),
            trigger: try row.optionalText("cause"),
            state: OperationState(
                phase: try row.word("phase"),
                instant: try row.optionalInstant("instant_ns"),
                decision: try row.optionalWord("decision"),
                outcome: try row.optionalWord("outcome")
            ),
            started: try row.instant("started_ns"),
            finished: try row.optionalInstant("finished_ns"),
            report: try row.optionalJSON("report")
        )
    }

    static func save(_ operation: OperationRecord, _ session: PostgreSQLSession) throws {
        try session.run(
            """
            INSERT INTO operations (id, kind, simulation, checkpoint, hosts, target, phase, instant_ns, decision, outcome,
                started_ns, finished_ns, report, cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, instant_ns = excluded.instant_ns,
                decision = COALESCE(excluded.decision, operations.decision), outcome = excluded.outcome, finished_ns = excluded.finished_ns,
                report = COALESCE(excluded.report, operations.report)
            """,
            [
                .text(operation.id.text), .text(operation.kind.rawValue), .text(operation.simulation),
                .text(operation.checkpoint), try .json(operation.hosts), try .json(operation.target),
                .text(operation.state.phase.rawValue), .instant(operation.state.instant),
                .text(operation.state.decision?.rawValue), .text(operation.state.outcome?.rawValue),
                .instant(operation.started), .instant(operation.finished), try .optionalJSON(operation.report),
                .text(operation.trigger),
            ]
        )
        // One that is not over will be written again; meanwhile a guest may stand still.
        guard let report = operation.report, operation.state.phase == .finished else { return }
        try saveStages(of: report, session)
        try saveClockStates(of: report, session)
    }

    /// The report's parts once more in columns, to be asked over many operations.
    private static func saveStages(of report: OperationReport, _ session: PostgreSQLSession) throws {
        try session.run("DELETE FROM stages WHERE operation = $1", [.text(report.operation.text)])
        for (position, stage) in (report.stages + report.machines.flatMap(\.stages)).enumerated() {
            try session.run(
                """
                INSERT INTO stages (operation, position, machine, name, started_ns, duration_ns, bytes)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .text(report.operation.text), .integer(Int64(position)), .text(stage.machine), .text(stage.name),
                    .instant(stage.started), .integer(stage.duration.nanoseconds),
                    .integer(stage.bytes.map(Int64.init(clamping:))),
                ]
            )
        }
    }

    private static func saveClockStates(of report: OperationReport, _ session: PostgreSQLSession) throws {
        try session.run("DELETE FROM clock_states WHERE operation = $1", [.text(report.operation.text)])
        for machine in report.machines {
            for (moment, clock) in [("instant", machine.clock), ("before", machine.clockBefore)] {
                guard let clock else { continue }
                try session.run(
                    """
                    INSERT INTO clock_states (operation, machine, moment, rtc_ns, kvmclock_ns, virtual_ns, state)
                    VALUES ($1, $2, $3, $4, $5, $6, $7)
                    ON CONFLICT (operation, machine, moment) DO UPDATE SET rtc_ns = excluded.rtc_ns,
                        kvmclock_ns = excluded.kvmclock_ns, virtual_ns = excluded.virtual_ns, state = excluded.state
                    """,
                    [
                        .text(report.operation.text), .text(machine.name), .text(moment), .integer(clock.rtcNs),
                        .integer(clock.kvmclockNs), .integer(clock.virtualNs), try .json(clock),
                    ]
                )
            }
        }
    }

    static func checkpointRecord(_ row: PostgreSQLRow, for identity: InstanceIdentity) throws -> CheckpointRecord {
        let keeper = try row.text("keeper")
        return CheckpointRecord(
            id: try row.text("id"),
            simulation: try row.text("simulation"),
            name: try row.text("name"),
            parent: try row.optionalText("parent"),
            origin: try row.optionalJSON("origin"),
            operation: OperationID(text: try row.text("operation")),
            instant: try row.instant("instant_ns"),
            created: try row.instant("created_ns"),
            machines: try row.json("machines"),
            bytes: UInt64(clamping: try row.integer("bytes")),
            annotations: try row.json("annotations"),
            keeper: keeper == identity.id ? nil : try row.optionalText("keeper_name") ?? keeper
        )
    }

    /// - Parameter keeper: of one that is new.
    static func save(_ checkpoint: CheckpointRecord, keeper: String, _ session: PostgreSQLSession) throws {
        try session.run(
            """
            INSERT INTO checkpoints (id, simulation, name, parent, origin, operation, instant_ns, created_ns, machines,
                bytes, annotations, keeper) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, origin = excluded.origin,
                annotations = excluded.annotations
            """,
            [
                .text(checkpoint.id), .text(checkpoint.simulation), .text(checkpoint.name), .text(checkpoint.parent),
                try .optionalJSON(checkpoint.origin), .text(checkpoint.operation.text), .instant(checkpoint.instant),
                .instant(checkpoint.created), try .json(checkpoint.machines),
                .integer(Int64(clamping: checkpoint.bytes)), try .json(checkpoint.annotations), .text(keeper),
            ]
        )
    }
}

extension PostgreSQLValue {
    fileprivate static func json(_ value: some Encodable) throws -> PostgreSQLValue {
        .text(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
    }

    fileprivate static func optionalJSON(_ value: (some Encodable)?) throws -> PostgreSQLValue {
        try value.map { try json($0) } ?? .text(nil)
    }

    fileprivate static func instant(_ instant: HostInstant?) -> PostgreSQLValue {
        .integer(instant?.nanosecondsSinceEpoch)
    }
}

extension PostgreSQLRow {
    fileprivate func json<Value: Decodable>(_ column: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(try text(column).utf8))
    }

    fileprivate func optionalJSON<Value: Decodable>(_ column: String) throws -> Value? {
        try optionalText(column) == nil ? nil : json(column)
    }

    fileprivate func instant(_ column: String) throws -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: try integer(column))
    }

    fileprivate func optionalInstant(_ column: String) throws -> HostInstant? {
        try optionalInteger(column).map(HostInstant.init(nanosecondsSinceEpoch:))
    }

    fileprivate func word<Value: RawRepresentable<String>>(_ column: String) throws -> Value {
        let text = try text(column)
        guard let value = Value(rawValue: text) else {
            throw StoreError("column \(column) holds '\(text)', which means nothing")
        }
        return value
    }

    fileprivate func optionalWord<Value: RawRepresentable<String>>(_ column: String) throws -> Value? {
        try optionalText(column) == nil ? nil : word(column)
    }
}
