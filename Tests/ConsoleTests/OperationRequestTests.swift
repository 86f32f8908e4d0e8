import ControlInstance
import FoundationEssentials
import GuestClock
import HTTPTypes
import HummingbirdTesting
import HypervisorAPI
import NIOCore
import Testing
import Time

@testable import Console

/// What right requests become for the control instance, and what its answers become for the client.
@Suite struct OperationRequestTests {
    static let result = OperationEvent.result(
        OperationReport(
            operation: OperationID(text: "op1"),
            kind: .suspend,
            simulation: "lab",
            checkpoint: "s1",
            outcome: .done,
            deadline: HostInstant(nanosecondsSinceEpoch: 5),
            started: HostInstant(nanosecondsSinceEpoch: 1)
        )
    )

    static let events: [OperationEvent] = [
        .phase(OperationID(text: "op1"), .preparing, deadline: nil),
        .stage(
            OperationReport.Stage(
                machine: "a",
                name: "save",
                started: HostInstant(nanosecondsSinceEpoch: 6),
                duration: .milliseconds(3),
                bytes: 10
            )
        ),
        result,
    ]

    @Test func `suspend passes on the checkpoint's name and the instant, and answers with the operation`() async throws
    {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let body = "{\"checkpoint\": \"before\", \"when\": {\"atNs\": 1700000000000000001}}"
            let reply = try await client.send(.post, "/v1/simulations/lab/suspend", body)
            #expect(reply.status == 202)
            let started = try JSONDecoder().decode(OperationStarted.self, from: Data(reply.body))
            #expect(
                started == OperationStarted(operation: OperationID(text: "op1"), events: "/v1/operations/op1/events")
            )
        }
        let instant = HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_001)
        #expect(control.seen.suspend == [SaveRequest(simulation: "lab", checkpoint: "before", when: .at(instant))])
    }

    @Test func `a decision is passed on, none is none, and another word reaches nobody`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let path = "/v1/operations/op1/settle"
            for body in ["", "{}", "{\"decision\": \"commit\"}", "{\"decision\": \"rollback\"}"] {
                _ = try await client.send(.post, path, body)
            }
            for body in ["{\"decision\": \"maybe\"}", "{\"decision\": 1}", "{\"decide\": \"commit\"}"] {
                #expect(try await client.send(.post, path, body).status == 400, "\(body)")
            }
        }
        #expect(control.seen.settle == [nil, nil, .commit, .rollback])
    }

    @Test func `an empty body means the first possible instant and the manifest's policy`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            #expect(try await client.send(.post, "/v1/simulations/lab/resume").status == 202)
        }
        #expect(control.seen.resume == [ResumeRequest(simulation: "lab")])
    }

    @Test func `resume passes on policy and scope`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let body = "{\"policy\": \"host\", \"scope\": \"all\", \"when\": {\"inNs\": 2000000000}}"
            #expect(try await client.send(.post, "/v1/simulations/lab/resume", body).status == 202)
        }
        #expect(
            control.seen.resume == [
                ResumeRequest(simulation: "lab", when: .in(.seconds(2)), policy: .host, scope: .all)
            ]
        )
    }

    @Test func `rewind passes on where to, and what becomes of what runs`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let path = "/v1/simulations/lab/rewind"
            #expect(try await client.send(.post, path, "{\"checkpoint\": \"s1\"}").status == 202)
            let kept = """
                {"checkpoint": "s1", "keepAs": "late", "policy": "host", "when": {"atNs": 5}}
                """
            #expect(try await client.send(.post, path, kept).status == 202)
            #expect(try await client.send(.post, path, "{\"checkpoint\": \"s1\", \"discard\": true}").status == 202)
            for wrong in [
                "{}", "{\"checkpoint\": \"S 1\"}", "{\"checkpoint\": \"s1\", \"keepAs\": \"../x\"}",
                "{\"checkpoint\": \"s1\", \"keepAs\": \"late\", \"discard\": true}",
            ] {
                #expect(try await client.send(.post, path, wrong).status == 400, "\(wrong)")
            }
        }
        let goal = ResumeRequest(simulation: "lab", checkpoint: "s1")
        var dated = goal
        dated.policy = .host
        dated.when = .at(HostInstant(nanosecondsSinceEpoch: 5))
        #expect(
            control.seen.rewind == [
                RewindRequest(goal), RewindRequest(dated, keeping: .checkpoint("late")),
                RewindRequest(goal, keeping: .nothing),
            ]
        )
    }

    @Test func `clone passes on from where, how many and how, and answers with an operation each`() async throws {
        let control = ScriptedControl(events: Self.events)
        let path = "/v1/simulations/lab/checkpoints/s1/clone"
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.post, path, "{\"name\": \"new\"}")
            #expect(reply.status == 202 && reply.text.contains("\"events\":\"/v1/operations/op1/events\""))
            let many = """
                {"name": "new", "count": 3, "newMACs": true, "policy": "+1h", "when": {"inNs": 7}}
                """
            #expect(try await client.send(.post, path, many).status == 202)
            for wrong in ["{}", "{\"name\": \"a b\"}", "{\"name\": \"new\", \"count\": \"3\"}"] {
                #expect(try await client.send(.post, path, wrong).status == 400, "\(wrong)")
            }
        }
        let source = ResumeRequest(simulation: "lab", checkpoint: "s1")
        var later = source
        later.when = .in(Span(nanoseconds: 7))
        later.policy = .offset(.seconds(3600))
        #expect(
            control.seen.clone == [
                CloneRequest(source, as: "new"), CloneRequest(later, as: "new", count: 3, newMACs: true),
            ]
        )
    }

    @Test func `labels and notes are passed on, and so is what a log is asked for`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let path = "/v1/simulations/lab"
            let save = "{\"labels\": {\"stage\": \"a=b\"}, \"note\": \"so\"}"
            #expect(try await client.send(.post, "\(path)/suspend", save).status == 202)
            let change = "{\"labels\": {\"stage\": null, \"keep\": \"\"}, \"note\": \"\"}"
            _ = try await client.send(.patch, "\(path)/checkpoints/s1", change)
            #expect(try await client.send(.patch, "\(path)/checkpoints/s1", "{\"label\": {}}").status == 400)
            #expect(try await client.send(.patch, "\(path)/checkpoints/s1", "{\"labels\": {\"a\": 1}}").status == 400)
            _ = try await client.send(.get, "\(path)/checkpoints?label=stage%3Da%3Db")
            _ = try await client.send(.get, "\(path)/checkpoints?label=stage")
            #expect(try await client.send(.get, "\(path)/checkpoints?labels=stage").status == 400)
        }
        #expect(control.seen.suspend.map(\.annotations) == [Annotations(labels: ["stage": "a=b"], note: "so")])
        #expect(
            control.seen.annotate == [
                AnnotateRequest(simulation: "lab", checkpoint: "s1", labels: ["stage": nil, "keep": ""], note: "")
            ]
        )
        #expect(control.seen.filters.map { [$0?.key, $0?.value] } == [["stage", "a=b"], ["stage", nil]])
    }

    @Test func `rules for gc are passed on, and a subtree is removed when that is asked for`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            #expect(try await client.send(.post, "/v1/gc").status == 200)
            let rule = "{\"simulation\": \"lab\", \"dryRun\": true, \"keep\": 3, \"olderThanNs\": 7}"
            #expect(try await client.send(.post, "/v1/gc", rule).status == 200)
            #expect(try await client.send(.post, "/v1/gc", "{\"keep\": \"3\"}").status == 400)
            let path = "/v1/simulations/lab/checkpoints/s1"
            let reply = try await client.send(.delete, "\(path)?recursive=true")
            #expect(reply.status == 200 && reply.text.contains("[\"child\",\"s1\"]"))
            #expect(try await client.send(.delete, "\(path)?recursive=yes").status == 400)
        }
        let rule = GarbageRequest(simulation: "lab", dryRun: true, keep: 3, olderThan: Span(nanoseconds: 7))
        #expect(control.seen.garbage == [GarbageRequest(), rule])
    }

    @Test func `up refuses a spec of another name than the path's`() async throws {
        let spec = SimulationSpec(name: "other", machines: [])
        let json = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            #expect(try await client.send(.post, "/v1/simulations/lab/up", "{\"spec\": \(json)}").status == 400)
            #expect(try await client.send(.post, "/v1/simulations/other/up", "{\"spec\": \(json)}").status == 202)
        }
        #expect(control.seen.up == [UpRequest(spec: spec)])
    }

    @Test func `events are JSON lines, the result last`() async throws {
        try await RouterClient.with(ScriptedControl(events: Self.events)) { client async throws in
            let reply = try await client.send(.get, "/v1/operations/op1/events")
            #expect(reply.status == 200)
            #expect(reply.contentType == "application/x-ndjson")
            let lines = reply.text.split(separator: "\n")
            let events = try lines.map { try JSONDecoder().decode(OperationEvent.self, from: Data($0.utf8)) }
            #expect(events == Self.events)
            #expect(lines.last?.contains("\"event\":\"result\"") == true)
            #expect(lines.last?.contains("\"deadlineNs\":5") == true)
        }
    }

    @Test func `events are server-sent events for who asks for them`() async throws {
        try await RouterClient.with(ScriptedControl(events: Self.events)) { client async throws in
            try await client.client.execute(
                uri: "/v1/operations/op1/events",
                method: .get,
                headers: [.accept: "text/event-stream"]
            ) { response in
                #expect(response.headers[.contentType] == "text/event-stream")
                // Without the comments that keep a slow connection open.
                let frames = String(buffer: response.body).split(separator: "\n\n").filter { !$0.hasPrefix(":") }
                #expect(frames.count == 3)
                #expect(
                    frames.map { $0.prefix { $0 != "{" } } == ["id: 1\ndata: ", "id: 2\ndata: ", "id: end\ndata: "]
                )
            }
        }
    }

    @Test(arguments: ["suspend", "checkpoint", "resume", "rewind"])
    func `what is only tried out begins nothing`(_ verb: String) async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let path = "/v1/simulations/lab/\(verb)"
            let body = "{\"checkpoint\": \"s1\"}"
            #expect(try await client.send(.post, "\(path)?dryRun=true", body).status == 200)
            #expect(control.seen.rehearsals.map(\.simulation) == ["lab"])
            for query in ["dryrun=true", "dryRun=yes", "dryRun=", "dry", "dryRun=true&x=1"] {
                #expect(try await client.send(.post, "\(path)?\(query)", body).status == 400, "\(query)")
            }
            let seen = control.seen
            #expect(seen.suspend.isEmpty && seen.checkpoint.isEmpty && seen.resume.isEmpty && seen.rewind.isEmpty)
            #expect(try await client.send(.post, "\(path)?dryRun=false", body).status == 202)
            #expect(control.seen.rehearsals.count == 1)
        }
    }

    @Test(arguments: ["up", "down", "checkpoints/s1/clone"])
    func `what cannot be tried out is not done instead`(_ verb: String) async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/\(verb)?dryRun=true", "{}")
            #expect(reply.status == 400)
            #expect(try reply.problem().detail.contains("dryRun"))
        }
    }

    @Test func `cancelling is passed on`() async throws {
        let control = ScriptedControl(events: Self.events)
        try await RouterClient.with(control) { client async throws in
            #expect(try await client.send(.post, "/v1/operations/op7/cancel").status == 202)
        }
        #expect(control.seen.cancelled == [OperationID(text: "op7")])
    }

    @Test(
        arguments: [
            ("simulation-not-found", nil, 404, 1), ("busy", 3, 409, 3), ("name-invalid", 2, 400, 2),
            ("checkpoint-corrupt", nil, 422, 6), ("clocks-not-synchronised", nil, 409, 7),
            ("database-failed", nil, 500, 1),
            ("host-no-answer", 5, 500, 5), ("instant-missed", 4, 409, 4),
        ] as [(String, Int?, Int, Int)]
    )
    func `what the control instance refuses keeps its code, reasons and exit code`(
        _ code: String,
        _ exitCode: Int?,
        _ status: Int,
        _ expectedExitCode: Int
    ) async throws {
        let reasons = [
            Reason(code: code, machine: "a", message: "it is so"), Reason(code: "other", message: "and so"),
        ]
        let control = ScriptedControl(error: ControlError(reasons, exitCode: exitCode))
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/suspend", "{}")
            #expect(reply.status == status)
            let problem = try reply.problem()
            #expect(problem.code == code)
            #expect(problem.reasons == reasons)
            #expect(problem.exitCode == expectedExitCode)
            #expect(problem.status == status)
        }
    }
}
