import ControlInstance
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import HypervisorAPI
import Logging
import Testing

@testable import Console

/// Operations that a request begins once, however often it is sent.
@Suite struct OnceTests {
    private static let verbs = [
        ("suspend", "{}"), ("checkpoint", "{}"), ("resume", "{}"), ("rewind", #"{"checkpoint":"s1"}"#),
        ("up", up), ("checkpoints/s1/clone", #"{"name":"two"}"#),
    ]

    private static var up: String {
        let spec = try? JSONEncoder().encode(SimulationSpec(name: "lab", machines: []))
        return "{\"spec\":\(String(decoding: spec ?? Data(), as: UTF8.self))}"
    }

    private static func book(_ folder: String) -> KeyBook {
        KeyBook(path: "\(folder)/keys.jsonl", logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private static func headers(_ key: String) -> HTTPFields {
        [.contentType: "application/json", .idempotencyKey: key]
    }

    private static func begun(_ control: ScriptedControl) -> Int {
        let seen = control.seen
        return seen.up.count + seen.suspend.count + seen.checkpoint.count + seen.resume.count + seen.rewind.count
            + seen.clone.count
    }

    @Test(arguments: verbs)
    func `the same key begins one operation, also for the next daemon`(_ verb: String, _ body: String) async throws {
        try await withFolder { folder in
            let control = ScriptedControl(events: OperationRequestTests.events)
            let path = "/v1/simulations/lab/\(verb)"
            var answers: Set<String> = []
            for _ in 0..<2 {
                let texts = try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                    var texts: [String] = []
                    for _ in 0..<2 {
                        let reply = try await client.send(.post, path, body, headers: Self.headers("one"))
                        #expect(reply.status == 202, "\(reply.text)")
                        texts.append(reply.text)
                    }
                    return texts
                }
                answers.formUnion(texts)
            }
            #expect(answers.count == 1)
            #expect(Self.begun(control) == 1)
            try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                for headers in [Self.headers("two"), [.contentType: "application/json"]] {
                    #expect(try await client.send(.post, path, body, headers: headers).status == 202)
                }
            }
            #expect(Self.begun(control) == 3)
        }
    }

    @Test func `another request with the key is refused, whatever is other about it`() async throws {
        try await withFolder { folder in
            let control = ScriptedControl(events: OperationRequestTests.events)
            try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                let path = "/v1/simulations/lab/suspend"
                _ = try await client.send(.post, path, "{}", headers: Self.headers("k"))
                for (path, body) in [
                    (path, #"{"checkpoint":"x"}"#), ("/v1/simulations/lab/checkpoint", "{}"),
                    ("/v1/simulations/other/suspend", "{}"),
                ] {
                    let reply = try await client.send(.post, path, body, headers: Self.headers("k"))
                    #expect(try reply.status == 422 && reply.problem().code == "key-reused")
                }
                // A rehearsal begins nothing, so it has no need of a key.
                let plan = try await client.send(.post, "\(path)?dryRun=true", "{}", headers: Self.headers("k"))
                #expect(plan.status == 200)
                for key in ["", String(repeating: "x", count: 129), "two words"] {
                    let reply = try await client.send(.post, path, "{}", headers: Self.headers(key))
                    #expect(reply.status == 400, "'\(key)'")
                }
            }
            #expect(Self.begun(control) == 1)
        }
    }

    @Test func `what was refused may be asked for again with its key`() async throws {
        try await withFolder { folder in
            let path = "/v1/simulations/lab/suspend"
            let refusing = ScriptedControl()
            try await RouterClient.with(refusing, keys: Self.book(folder)) { client async throws in
                #expect(try await client.send(.post, path, "{}", headers: Self.headers("k")).status == 404)
            }
            let control = ScriptedControl(events: OperationRequestTests.events)
            try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                #expect(try await client.send(.post, path, "{}", headers: Self.headers("k")).status == 202)
            }
            #expect(control.seen.suspend.map(\.operation) == refusing.seen.suspend.map(\.operation))
        }
    }

    @Test func `many at once with one key begin one operation`() async throws {
        try await withFolder { folder in
            let control = ScriptedControl(events: OperationRequestTests.events)
            try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            try await client.send(
                                .post,
                                "/v1/simulations/lab/suspend",
                                "{}",
                                headers: Self.headers("k")
                            ).status
                        }
                    }
                    for try await status in group { #expect(status == 202) }
                }
            }
            #expect(Self.begun(control) == 1)
        }
    }

    @Test(arguments: verbs)
    func `what is no request uses up no key`(_ verb: String, _ body: String) async throws {
        try await withFolder { folder in
            let control = ScriptedControl(events: OperationRequestTests.events)
            try await RouterClient.with(control, keys: Self.book(folder)) { client async throws in
                let path = "/v1/simulations/lab/\(verb)"
                for wrong in ["{", #"{"unknown":1}"#, #"{"when":"later"}"#] {
                    let reply = try await client.send(.post, path, wrong, headers: Self.headers("k"))
                    #expect(reply.status == 400, "\(reply.text)")
                }
                let reply = try await client.send(.post, path, body, headers: Self.headers("k"))
                #expect(reply.status == 202, "\(reply.text)")
            }
        }
    }
}
