import FoundationEssentials
import HostClock
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import RecordedLog
import Testing
import Time
import Yams

@testable import Console

/// Who may do what, for every route that docs/openapi.yaml has.
@Suite struct AccessTests {
    private struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: String
        /// As the document says it.
        let role: String
    }

    /// The API behind a door that asks for tokens.
    private struct Door: Sendable {
        let client: any TestClientProtocol
        let log: RecordedLog
        let tokens: TokenBook
        let clock: ManualClock

        func send(_ route: Route, _ authorization: String?) async throws -> (status: Int, code: String?, type: String?)
        {
            let fields: HTTPFields = authorization.map { [.authorization: $0] } ?? [:]
            return try await client.execute(uri: route.path, method: route.method, headers: fields, body: nil) {
                // Streams of events have no code, and an end only in tests.
                let problem = try? JSONDecoder().decode(Problem.self, from: Data($0.body.readableBytesView))
                return ($0.status.code, problem?.code, $0.headers[.contentType])
            }
        }
    }

    private static func routes() throws -> [Route] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        let paths = try #require(try Yams.compose(yaml: text)?["paths"]?.mapping)
        let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]
        return paths.flatMap { path, item in
            methods.compactMap { method in
                guard let operation = item[Node(method.rawValue.lowercased())] else { return nil }
                let filled = (path.string ?? "").split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }
                // Of the running machines' clocks those that can be read while they run.
                let query = path.string == "/v1/simulations/{simulation}/clocks" ? "?pausing=false" : ""
                return Route(
                    method: method,
                    path: "/" + filled.joined(separator: "/") + query,
                    role: operation["x-role"]?.string ?? "none"
                )
            }
        }
    }

    /// - Parameter file: what is in the tokens' file already.
    private static func with(
        file: String? = nil,
        _ body: @Sendable @escaping (Door) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            if let file { try Data(file.utf8).write(to: URL(filePath: "\(folder)/tokens.json")) }
            let log = RecordedLog()
            let clock = ManualClock(at: .now)
            let tokens = TokenBook(path: "\(folder)/tokens.json", clock: clock, logger: log.logger)
            let started = HostInstant(nanosecondsSinceEpoch: 7)
            let routes = Routes(
                control: ScriptedControl(),
                started: started,
                entrance: BrowserEntrance(.off),
                tokens: tokens,
                keys: KeyBook(path: "\(folder)/keys.jsonl", logger: log.logger)
            ) {}
            let door = TokenGuard(
                tokens: tokens,
                logger: log.logger,
                api: ConsoleServer.router(routes).buildResponder()
            )
            let application = Application(responder: door, logger: log.logger)
            try await application.test(.router) {
                try await body(Door(client: $0, log: log, tokens: tokens, clock: clock))
            }
        }
    }

    @Test func `without a good token every route is refused, and the log says so without the token`() async throws {
        let routes = try Self.routes()
        #expect(routes.count > 30)
        try await Self.with { door in
            let (revoked, _) = try await door.tokens.create("revoked", .admin, life: nil)
            let (expired, _) = try await door.tokens.create("expired", .admin, life: .seconds(1))
            try await door.tokens.revoke("revoked")
            door.clock.advance(by: .seconds(2))
            let attempts: [(String?, String)] = [
                (nil, "token-missing"), ("", "token-missing"), ("Bearer", "token-missing"),
                ("Basic \(expired)", "token-missing"), ("Bearer wrong", "token-unknown"),
                ("Bearer \(expired.dropLast())", "token-unknown"),
                ("Bearer \(String(repeating: "x", count: 5000))", "token-unknown"),
                ("Bearer \(revoked)", "token-unknown"), ("Bearer \(expired)", "token-expired"),
            ]
            for route in routes {
                for (authorization, code) in attempts {
                    let before = door.log.lines.count
                    let reply = try await door.send(route, authorization)
                    #expect(reply.status == 401 && reply.code == code, "\(route.method) \(route.path) \(code)")
                    #expect(reply.type == "application/problem+json")
                    let lines = door.log.lines.dropFirst(before).filter { $0.contains("refused a request") }
                    #expect(lines.count == 1 && lines.first?.contains("reason=\(code)") == true, "\(lines)")
                }
            }
            for text in [revoked, expired, "wrong"].map({ $0.replacing("fermata_", with: "") }) {
                #expect(!door.log.lines.contains { $0.contains(text) }, "the log has a token")
            }
        }
    }

    @Test func `a token may do what its role says, and nothing above it`() async throws {
        let routes = try Self.routes()
        try await Self.with { door in
            var texts: [AccessRole: String] = [:]
            for role in AccessRole.allCases {
                texts[role] = try await door.tokens.create(role.rawValue, role, life: nil).text
            }
            for route in routes {
                let word = route.role.split(separator: ",").first.map { String($0) } ?? ""
                for (role, text) in texts {
                    let before = door.log.lines.count
                    let (status, code, type) = try await door.send(route, "Bearer \(text)")
                    let what: Comment = "\(route.method) \(route.path) as \(role)"
                    let expected: String? =
                        if let needed = AccessRole(rawValue: word) { role >= needed ? nil : "role-insufficient" } else {
                            "local-only"
                        }
                    guard let expected else {
                        #expect(status != 401 && status != 403, what)
                        continue
                    }
                    #expect(status == 403 && code == expected && type == "application/problem+json", what)
                    let lines = door.log.lines.dropFirst(before).filter { $0.contains("refused a request") }
                    #expect(lines.count == 1 && lines.first?.contains("who=token \(role)") == true, "\(lines)")
                    #expect(lines.first?.contains("reason=\(expected)") == true, "\(lines)")
                }
            }
            for text in texts.values { #expect(!door.log.lines.contains { $0.contains(text) }) }
        }
    }

    @Test func `what a route does beyond its role needs more than it`() async throws {
        try await Self.with { door in
            let simulation = "/v1/simulations/x"
            var texts: [AccessRole: String] = [:]
            for role in AccessRole.allCases {
                texts[role] = try await door.tokens.create("\(role)", role, life: nil).text
            }
            let text = texts
            func status(_ path: String, _ role: AccessRole, _ body: String? = nil) async throws -> Int {
                let token = try #require(text[role])
                return try await door.client.execute(
                    uri: simulation + path,
                    method: body == nil ? .get : .post,
                    headers: [.authorization: "Bearer \(token)", .contentType: "application/json"],
                    body: body.map { ByteBuffer(string: $0) }
                ) { $0.status.code }
            }
            // Machines stand still for it.
            #expect(try await status("/clocks", .view) == 403)
            #expect(try await status("/clocks?pausing=true", .view) == 403)
            #expect(try await status("/clocks?pausing=false", .view) != 403)
            #expect(try await status("/clocks", .operate) != 403)
            // Programs that are run as the daemon's user.
            let move = "/checkpoints/y/move"
            let qemu = #"{"hosts":{"m":"h"},"qemu":["/bin/sh"]}"#
            #expect(try await status(move, .operate, qemu) == 403)
            #expect(try await status(move, .admin, qemu) != 403)
            #expect(try await status(move, .operate, #"{"hosts":{"m":"h"},"qemu":[]}"#) != 403)
        }
    }

    @Test func `what is no path is not told to strangers`() async throws {
        try await Self.with { door in
            let text = try await door.tokens.create("v", .view, life: nil).text
            for path in ["/", "/v1/nothing", "/v1/../../etc/passwd", "/enter", "/index.html", "/v1/hosts%00"] {
                let route = Route(method: .get, path: path, role: "")
                #expect(try await door.send(route, nil).code == "token-missing", "\(path)")
                #expect(try await door.send(route, "Bearer \(text)").status == 404, "\(path)")
            }
        }
    }

    @Test func `what no door has let in is refused, and a route without a role is the owner's alone`() throws {
        for route in RouteAccess.table.values {
            #expect(throws: Problem.self) { _ = try route.admit(nil, to: "/") }
        }
        let forgotten = RouteAccess.of("POST /v1/new")
        let token = AccessToken(name: "t", role: .admin, created: .now, expires: nil, digest: "")
        #expect(throws: Problem.self) { _ = try forgotten.admit(.token(token), to: "/v1/new") }
        #expect(throws: Never.self) { _ = try forgotten.admit(.owner, to: "/v1/new") }
    }

    @Test func `a token made over the API is told once`() async throws {
        try await RouterClient.with { client async throws in
            let reply = try await client.send(.post, "/v1/tokens", #"{"name":"ci","role":"view","lifeNs":0}"#)
            #expect(try reply.status == 400 && reply.problem().code == "bad-request")
            let wrong = try await client.send(.post, "/v1/tokens", #"{"name":"ci","role":"owner"}"#)
            #expect(wrong.status == 400)
            let bad = try await client.send(.post, "/v1/tokens", #"{"name":"../ci","role":"view"}"#)
            #expect(try bad.problem().code == "name-invalid")
        }
        try await Self.with { door in
            let (text, _) = try await door.tokens.create("admin", .admin, life: nil)
            let made = try await door.client.execute(
                uri: "/v1/tokens",
                method: .post,
                headers: [.authorization: "Bearer \(text)", .contentType: "application/json"],
                body: ByteBuffer(string: #"{"name":"ci","role":"view","lifeNs":60000000000}"#)
            ) { try JSONDecoder().decode(TokenCreated.self, from: Data($0.body.readableBytesView)) }
            #expect(try door.tokens.token(of: made.token).name == "ci")
            let list = try await door.client.execute(
                uri: "/v1/tokens",
                method: .get,
                headers: [.authorization: "Bearer \(text)"]
            ) { String(buffer: $0.body) }
            #expect(list.contains("\"ci\"") && !list.contains(made.token) && !list.contains("digest"))
        }
    }

    @Test func `a token that has an end makes none that has a later one`() async throws {
        try await Self.with { door in
            let (short, _) = try await door.tokens.create("short", .admin, life: .seconds(60))
            let (endless, _) = try await door.tokens.create("endless", .admin, life: nil)
            for (text, life, code) in [
                (short, nil, "token-outlives"), (short, 61_000_000_000, "token-outlives"),
                (short, Int64.max, "token-outlives"), (short, 60_000_000_000, nil), (endless, nil, nil),
                (endless, Int64.max, nil),
            ] as [(String, Int64?, String?)] {
                let name = "t\(try door.tokens.all.count)"
                let field = life.map { ",\"lifeNs\":\($0)" } ?? ""
                let (status, problem) = try await door.client.execute(
                    uri: "/v1/tokens",
                    method: .post,
                    headers: [.authorization: "Bearer \(text)", .contentType: "application/json"],
                    body: ByteBuffer(string: "{\"name\":\"\(name)\",\"role\":\"view\"\(field)}")
                ) {
                    ($0.status.code, try? JSONDecoder().decode(Problem.self, from: Data($0.body.readableBytesView)))
                }
                #expect(status == (code == nil ? 201 : 403) && problem?.code == code, "\(name) \(field)")
            }
        }
    }

    @Test func `what is wrong with the tokens' file is for the log, not for strangers`() async throws {
        try await Self.with(file: "{") { door in
            let (status, text) = try await door.client.execute(
                uri: "/v1/version",
                method: .get,
                headers: [.authorization: "Bearer fermata_0"]
            ) { ($0.status.code, String(buffer: $0.body)) }
            #expect(status == 503 && text.contains("tokens-unusable"))
            #expect(!text.contains("tokens.json") && !text.contains("damaged"), "\(text)")
            #expect(door.log.lines.contains { $0.contains("tokens.json") && $0.contains("damaged") })
        }
    }

    @Test func `to HEAD the head is told, whoever refuses it`() async throws {
        try await Self.with { door in
            let (text, _) = try await door.tokens.create("v", .view, life: nil)
            for (fields, path, status) in [
                ([:], "/v1/version", 401), ([.authorization: "Bearer \(text)"], "/v1/version", 405),
                ([.authorization: "Bearer \(text)"], "/v1/nothing", 404),
            ] as [(HTTPFields, String, Int)] {
                let (answered, body, length) = try await door.client.execute(uri: path, method: .head, headers: fields)
                {
                    ($0.status.code, $0.body.readableBytes, $0.headers[.contentLength])
                }
                #expect(answered == status && body == 0 && length != "0", "\(path)")
            }
        }
    }
}
