import ControlInstance
import FoundationEssentials
import GuestClock
import HypervisorAPI
import Time

@testable import Console

/// The top-level keys of an answer of one kind, once with everything in it and once with as little as possible.
struct Sample: Sendable, CustomStringConvertible {
    let schema: String
    let keys: Set<String>
    var description: String { "\(schema) with \(keys.count) fields" }

    /// One that cannot be encoded has no keys, and so lacks what is promised.
    init(_ schema: String, _ value: any Encodable) {
        self.schema = schema
        let data = try? JSONEncoder().encode(value)
        let object = data.flatMap { try? JSONDecoder().decode([String: Anything].self, from: $0) }
        keys = Set((object ?? [:]).keys)
    }

    private struct Anything: Decodable {
        init(from decoder: any Decoder) throws {}
    }
}

enum Samples {
    private static let instant = HostInstant(nanosecondsSinceEpoch: 1)
    private static let operation = OperationID(text: "op1")
    private static let reason = Reason(code: "c", machine: "m", message: "t")

    private static let reading = ClockReading(
        device: "mc146818rtc",
        section: "s",
        instance: 0,
        kind: .rtc,
        readsNs: 1,
        epoch: .unix,
        resolutionNs: 1,
        controllable: false,
        reason: "r",
        alarms: [ClockReading.Alarm(firesAtNs: 2)]
    )

    private static let imported = ImportReport(
        CheckpointManifest(
            tool: "t",
            id: "i",
            simulation: "lab",
            name: "s1",
            operation: operation,
            created: instant,
            instant: instant,
            parent: nil,
            spec: SimulationSpec(name: "lab", machines: []),
            machines: [],
            links: []
        ),
        importedFrom: CheckpointManifest.Provenance(id: "o", simulation: "lab", name: "s1", hosts: ["h"]),
        reasons: [reason],
        notes: ["n"]
    )

    private static func token(expires: HostInstant?) -> AccessToken {
        AccessToken(name: "t", role: .view, created: instant, expires: expires, digest: "d")
    }

    private static let stage = OperationReport.Stage(
        machine: "m",
        name: "save",
        started: instant,
        duration: .zero,
        bytes: 1
    )

    private static let clock = ClockState(atNs: instant, readings: [reading])

    private static let machine = OperationReport.MachineResult(
        name: "m",
        host: "h",
        stoppedAt: instant,
        resumedAt: instant,
        sentAt: instant,
        lateness: .zero,
        clock: clock,
        clockBefore: clock,
        clockAfter: clock,
        ram: OperationReport.RAM(way: .file, bytes: 1, isView: true)
    )

    private static let fullReport = OperationReport(
        operation: operation,
        kind: .resume,
        simulation: "lab",
        checkpoint: "s1",
        origin: origin,
        kept: "s2",
        outcome: .done,
        reasons: [reason],
        deadline: instant,
        spread: .zero,
        clockErrorBound: .zero,
        policy: .continue,
        scope: .rtc,
        machines: [machine],
        stages: [stage],
        notes: ["n"],
        started: instant,
        finished: instant
    )

    private static let storage = StorageReport(
        usedBytes: 1,
        quotaBytes: 2,
        totalBytes: 1,
        totalQuotaBytes: 2
    )

    private static let rehearsal = RehearsalReport(
        simulation: "lab",
        kind: .suspend,
        checkpoint: "s1",
        deadline: instant,
        hosts: [RehearsalReport.Host(host: "h", ready: true, machines: ["m"], required: .zero)]
    )

    private static let origin = Origin(simulation: "old", checkpoint: "s9", id: "i")

    private static let summary = CheckpointSummary(
        id: "1",
        simulation: "lab",
        checkpoint: "s1",
        parent: "s0",
        origin: origin,
        instant: instant,
        created: instant,
        machines: ["m"],
        bytes: 1,
        current: true,
        sealed: false,
        annotations: Annotations(labels: ["k": "v"], note: "n")
    )

    static let all: [Sample] = {
        let values: [(String, any Encodable)] = [
            (
                "Problem",
                Document(problem: Problem(code: "c", detail: "d", status: 400, reasons: [reason], exitCode: 2))
            ),
            ("TokenReport", TokenReport(token(expires: instant))), ("TokenReport", TokenReport(token(expires: nil))),
            ("Tokens", TokensAnswer(tokens: [])),
            ("TokenCreated", TokenCreated(token: "t", kept: TokenReport(token(expires: nil)))),
            ("OperationReport", fullReport),
            (
                "OperationReport",
                OperationReport(
                    operation: operation,
                    kind: .start,
                    simulation: "lab",
                    outcome: .failed,
                    started: instant
                )
            ),
            ("MachineResult", machine), ("MachineResult", OperationReport.MachineResult(name: "m", host: "h")),
            ("Stage", stage), ("ClockReading", reading), ("ClockState", clock), ("Reason", reason),
            ("CheckpointSummary", summary),
            ("Checkpoints", CheckpointsAnswer(simulation: "lab", checkpoints: [], storage: storage)),
            ("Storage", storage), ("Storage", StorageReport(usedBytes: 1, totalBytes: 1)),
            ("VerifyReport", VerifyReport(simulation: "lab", checkpoint: "s1", reasons: [], exitCode: 0)),
            ("ImportReport", imported), ("DownReport", DownReport(simulation: "lab", before: .running, machines: [])),
            ("ClockReport", ClockReport(simulation: "lab", checkpoint: "s1", machines: [])),
            ("DoctorReport", DoctorReport(home: "/", hosts: [], findings: [])),
            ("Finding", HypervisorDescription.Finding(level: .ok, subject: "s", message: "m")),
            ("Simulations", SimulationsAnswer(simulations: [])), ("Operations", OperationsAnswer(operations: [])),
            ("Operations", OperationsAnswer(operations: [], next: "/v1/operations?limit=1&before=a")),
            (
                "SimulationSummary",
                SimulationSummary(
                    simulation: "lab",
                    state: .running,
                    checkpoint: "s1",
                    origin: origin,
                    machines: [],
                    operation: operation,
                    created: instant
                )
            ),
            ("OperationStarted", OperationStarted(operation: operation, events: "/")),
            (
                "ClonesStarted",
                ClonesStarted(clones: [ClonesStarted.Clone(simulation: "lab", operation: operation, events: "/")])
            ),
            ("Removed", RemovedAnswer(removed: [])),
            (
                "HookReport",
                HookReport(
                    HookSpec(event: .failed, command: ["x"]),
                    HookRun(end: .exited, status: 1, duration: .zero, output: "o", errors: "e", stragglers: 1)
                )
            ),
            ("LeaseHeld", LeaseHeld(simulation: "lab")), ("LeaseReport", LeaseReport(simulation: "lab")),
            ("ForgetReport", ForgetReport(simulation: "lab", dryRun: true, checkpoints: [])),
            ("GarbageReport", GarbageReport(dryRun: true, items: [], spared: [])),
            ("Origin", origin),
            ("Version", VersionAnswer(version: "1", processID: 1, started: instant, now: instant, host: "here")),
            ("Session", SessionAnswer(role: "admin", expires: instant, now: instant)),
            ("Session", SessionAnswer(role: "admin", expires: nil, now: instant)),
            ("Change", Change(id: "1", what: .reset)), ("Change", Change(id: "1", what: .simulation("lab", .running))),
            ("Change", Change(id: "1", what: .checkpoint("s1", simulation: "lab", removed: true))),
            ("Change", Change(id: "1", what: .host("h", removed: false))),
            (
                "Change",
                Change(id: "1", what: .operation(operation, simulation: "lab", .phase(.armed, deadline: instant)))
            ),
            ("Change", Change(id: "1", what: .operation(operation, simulation: "lab", .stage(stage)))),
            ("Change", Change(id: "1", what: .operation(operation, simulation: "lab", .ended(.done)))),
            ("Rehearsal", rehearsal), ("Rehearsal", RehearsalReport(simulation: "lab", kind: .resume, hosts: [])),
            ("RehearsalHost", rehearsal.hosts[0]),
            ("RehearsalHost", RehearsalReport.Host(host: "h", ready: false, machines: [])),
            ("ConsoleLink", ConsoleAnswer(url: "u", port: 1, expires: instant)),
            ("Health", HealthAnswer(status: "ok")), ("Accepted", AcceptedAnswer(accepted: true)),
        ]
        return values.map { Sample($0.0, $0.1) }
    }()

    /// As the server writes it.
    private struct Document: Encodable {
        let problem: Problem

        enum CodingKeys: String, CodingKey { case type, title }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode("about:blank", forKey: .type)
            try container.encode("t", forKey: .title)
            try problem.encode(to: encoder)
        }
    }
}
