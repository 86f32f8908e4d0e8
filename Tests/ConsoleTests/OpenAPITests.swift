import FoundationEssentials
import HTTPTypes
import Logging
import Testing
import Time
import Yams

@testable import Console

/// docs/openapi.yaml says what the server does, no more and no less.
@Suite struct OpenAPITests {
    private static let methods = ["get", "post", "put", "delete", "patch", "head", "options"]

    private static func document() throws -> Node {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        return try #require(try Yams.compose(yaml: text))
    }

    private static func operations() throws -> Set<String> {
        let paths = try #require(try document()["paths"]?.mapping)
        return Set(
            paths.flatMap { path, item in
                methods.filter { item.mapping?[Node($0)] != nil }.map { "\($0.uppercased()) \(path.string ?? "?")" }
            }
        )
    }

    private static func routes() -> Routes {
        let started = HostInstant(nanosecondsSinceEpoch: 0)
        let tokens = TokenBook(path: "/nowhere/tokens.json", logger: Logger(label: "test"))
        return Routes(
            control: ScriptedControl(),
            started: started,
            entrance: BrowserEntrance(.off),
            tokens: tokens,
            keys: KeyBook(path: "/nowhere/keys.jsonl", logger: Logger(label: "test"))
        ) {}
    }

    @Test func `every path and method of the server is described, and no other`() throws {
        let described = try Self.operations()
        let served = Set(Self.routes().endpoints.map { "\($0.method.rawValue) \($0.path)" })
        #expect(described == served)
    }

    @Test func `every route has the role that is described, and no role is for another`() throws {
        let paths = try #require(try Self.document()["paths"]?.mapping)
        var described: [String: String] = [:]
        for (path, item) in paths {
            for method in Self.methods {
                guard let operation = item[Node(method)] else { continue }
                described["\(method.uppercased()) \(path.string ?? "?")"] = operation["x-role"]?.string ?? "none"
            }
        }
        let table = RouteAccess.table.mapValues { access in
            switch access.doors {
            case .all: access.role.rawValue
            case .notBrowsers: "\(access.role.rawValue), not for browsers"
            case .socket: "owner"
            }
        }
        #expect(described == table)
    }

    @Test func `every described path is answered by a handler`() async throws {
        let operations = try Self.operations()
        try await RouterClient.with { client async throws in
            for operation in operations.sorted() {
                let parts = operation.split(separator: " ")
                let path = parts[1].split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }.joined(separator: "/")
                let method = try #require(Self.routes().endpoints.first { $0.method.rawValue == parts[0] }?.method)
                let reply = try await client.send(method, "/\(path)")
                #expect(reply.status != 405, "\(operation)")
                if reply.status == 404 {
                    let code = try reply.problem().code
                    #expect(["simulation-not-found", "token-not-found"].contains(code), "\(operation)")
                }
            }
        }
    }

    @Test func `every parameter in a path is described`() throws {
        let paths = try #require(try Self.document()["paths"]?.mapping)
        for (path, item) in paths {
            let text = path.string ?? ""
            let named = text.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }
            let parameters = item["parameters"]?.array().compactMap { $0["$ref"]?.string } ?? []
            #expect(parameters == named.map { "#/components/parameters/\($0)" }, "\(text)")
        }
    }

    @Test(arguments: [
        ("UpBody", UpBody.fields), ("SaveBody", SaveBody.fields), ("ResumeBody", ResumeBody.fields),
        ("RewindBody", RewindBody.fields), ("CloneBody", CloneBody.fields), ("AnnotateBody", AnnotateBody.fields),
        ("GarbageBody", GarbageBody.fields), ("SerialBody", SerialBody.fields), ("LeaseBody", LeaseBody.fields),
        ("LeaseEndBody", LeaseEndBody.fields),
        ("TokenBody", TokenBody.fields), ("HostBody", HostBody.fields), ("DrainBody", DrainBody.fields),
        ("AdoptBody", AdoptBody.fields),
        ("ClockEditBody", ClockEditBody.fields),
    ])
    func `request bodies have exactly the described fields`(_ name: String, _ fields: [String]) throws {
        let schema = try #require(try Self.document()["components"]?["schemas"]?[name])
        let properties = try #require(schema["properties"]?.mapping)
        #expect(Set(properties.keys.compactMap(\.string)) == Set(fields))
        #expect(schema["additionalProperties"]?.bool == false)
    }

    @Test(arguments: Samples.all)
    func `answers have the described fields, and all that are promised`(_ sample: Sample) throws {
        let schemas = try #require(try Self.document()["components"]?["schemas"])
        let schema = try #require(schemas[sample.schema])
        let described = Set(try #require(schema["properties"]?.mapping).keys.compactMap(\.string))
        let promised = Set(schema["required"]?.array().compactMap(\.string) ?? [])
        #expect(sample.keys.isSubset(of: described), "not described: \(sample.keys.subtracting(described).sorted())")
        #expect(promised.isSubset(of: sample.keys), "not there: \(promised.subtracting(sample.keys).sorted())")
    }
}
