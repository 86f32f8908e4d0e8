import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Console

/// What a wrong request gets: always a problem document with a code, never a crash, never a silent success.
@Suite struct RequestTests {
    @Test(arguments: [
        Input("nothing", ""), Input("cut off", "{"), Input("an array", "[]"), Input("null", "null"),
        Input("a number", "7"), Input("a string", "\"x\""), Input("no value", "{\"machine\": }"),
        Input("more behind it", "{\"machine\": \"a\", \"monitor\": \"b\"} trailing"), Input("NUL", "\u{0}"),
        Input("a control character", "{\"a\":\u{1}}"),
        Input("deep arrays", String(repeating: "[", count: 100_000)),
        Input("deep objects", String(repeating: "{\"machine\":", count: 50_000)),
    ])
    func `a body that is no JSON object is a bad request`(_ body: Input) async throws {
        // Of adopt: where nothing has to be said, an empty body is right.
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/adopt", body.text)
            #expect(reply.status == 400)
            #expect(reply.contentType == "application/problem+json")
            let problem = try reply.problem()
            #expect(problem.code == "bad-request")
            #expect(problem.exitCode == 2)
        }
    }

    @Test func `a body that is not UTF-8 is a bad request`() async throws {
        try await RouterClient.with { client async throws in
            let bytes: [UInt8] = [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x31, 0x7D]
            let reply = try await client.client.execute(
                uri: "/v1/simulations/lab/suspend",
                method: .post,
                headers: [.contentType: "application/json"],
                body: .init(bytes: bytes)
            )
            #expect(reply.status == .badRequest)
        }
    }

    @Test(arguments: [
        ("suspend", "{\"checkpont\": \"a\"}", "checkpont"),
        ("resume", "{\"clock\": \"host\"}", "clock"),
        ("down", "{\"force\": true}", "force"),
        ("adopt", "{\"machine\": \"a\", \"monitor\": \"unix:/x\", \"pid\": 1}", "pid"),
        ("up", "{\"spec\": {}, \"at\": 1}", "at"),
    ])
    func `an unknown field is named, not ignored`(_ verb: String, _ body: String, _ field: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/\(verb)", body)
            #expect(reply.status == 400)
            #expect(try reply.problem().detail.contains(field))
        }
    }

    @Test(arguments: [
        "{\"when\": {\"atNs\": 1, \"inNs\": 1}}", "{\"when\": {\"inNs\": \"1s\"}}", "{\"when\": 5}",
        "{\"when\": {\"atNs\": 99999999999999999999}}", "{\"when\": {\"atNs\": 1.5}}", "{\"policy\": \"sideways\"}",
        "{\"scope\": \"everything\"}", "{\"checkpoint\": 3}",
    ])
    func `a field with a wrong value is a bad request`(_ body: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/resume", body)
            #expect(reply.status == 400, "\(reply.text)")
            #expect(try reply.problem().code == "bad-request")
        }
    }

    @Test(arguments: [
        "/", "/v1", "/v2/simulations", "/v1/simulation", "/v1/simulations/lab/explode",
        "/v1/simulations/lab/checkpoints/a/b/c",
        "/etc/passwd",
    ])
    func `a path that is not there is told so`(_ path: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.get, path)
            #expect(reply.status == 404)
            #expect(try reply.problem().code == "unknown-path")
            #expect(reply.text.contains("\"title\":\"Not Found\""))
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/simulations/lab/suspend", "POST"), (.delete, "/v1/simulations", "GET"),
        (.put, "/v1/simulations/lab/checkpoints/a", "DELETE, GET, PATCH"), (.post, "/v1/version", "GET"),
        (.options, "/v1/doctor", "GET"), (.head, "/v1/health", "GET"),
        (HTTPRequest.Method("QUERY") ?? .trace, "/v1/simulations/lab/checkpoints/a", "DELETE, GET, PATCH"),
    ])
    func `a method that a path has not got is answered with those it has`(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ allowed: String
    ) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(method, path)
            #expect(reply.status == 405)
            #expect(reply.allow == allowed)
            #expect(reply.body.isEmpty == (method == .head))
        }
    }

    @Test(arguments: [
        "..", "%2e%2e", "a%2fb", "Lab", "-x", "a%00b", "%ff", "a b", String(repeating: "a", count: 64), "%C3%A4",
    ])
    func `a name that cannot be a folder's is refused before anybody is asked`(_ name: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/\(name)/suspend", "{}")
            #expect(reply.status == 400 || reply.status == 404, "\(reply.text)")
            #expect(["name-invalid", "unknown-path"].contains(try reply.problem().code))
        }
    }

    @Test(arguments: ["../a", "A", "", "a/b", "a@b"])
    func `a checkpoint's name in a body is checked like one in a path`(_ name: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/simulations/lab/suspend", "{\"checkpoint\": \"\(name)\"}")
            #expect(reply.status == 400)
            #expect(try reply.problem().code == "name-invalid")
        }
    }

    @Test func `a body larger than the limit is refused`() async throws {
        try await RouterClient.with { client async throws in
            let body = "{\"checkpoint\": \"" + String(repeating: "a", count: Call.bodyLimit) + "\"}"
            let reply = try await client.send(.post, "/v1/simulations/lab/suspend", body)
            #expect(reply.status == 413)
            #expect(try reply.problem().code == "body-too-large")
        }
    }

    @Test func `a body that is not JSON by its own account is refused`() async throws {
        try await RouterClient.with { client async throws in
            let yaml = try await client.send(
                .post,
                "/v1/simulations/lab/suspend",
                "{}",
                headers: [.contentType: "application/yaml"]
            )
            #expect(yaml.status == 415)
            let charset = try await client.send(
                .post,
                "/v1/simulations/lab/suspend",
                "{}",
                headers: [.contentType: "application/json; charset=utf-8"]
            )
            #expect(charset.status == 404)  // as far as the control instance, which knows no simulation
        }
    }

    @Test(arguments: ["pausing=maybe", "pause=true", "pausing=true&x=1", "pausing="])
    func `a parameter of the query that means nothing is a bad request`(_ query: String) async throws {
        try await RouterClient.with { client async throws in
            #expect(try await client.send(.get, "/v1/simulations/lab/clocks?\(query)").status == 400)
        }
    }

    @Test(arguments: [("", "paused"), ("?pausing=true", "paused"), ("?pausing=false", "running")])
    func `clocks are read with a pause unless told otherwise`(_ query: String, _ expected: String) async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.get, "/v1/simulations/lab/clocks\(query)")
            #expect(reply.status == 200)
            #expect(reply.text.contains("\"\(expected)\""))
        }
    }
}
