import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Time

@testable import Console

/// Asks the router without a socket.
struct RouterClient {
    let client: any TestClientProtocol

    struct Reply {
        let status: Int
        let contentType: String?
        let allow: String?
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func problem() throws -> Problem { try JSONDecoder().decode(Problem.self, from: Data(body)) }
    }

    static func with<Value>(
        _ control: any Control = ScriptedControl(),
        keys: KeyBook? = nil,
        _ body: @Sendable @escaping (RouterClient) async throws -> Value
    ) async throws -> Value {
        let started = HostInstant(nanosecondsSinceEpoch: 7)
        let tokens = TokenBook(path: "/nowhere/tokens.json", logger: Logger(label: "test"))
        let keys = keys ?? KeyBook(path: "/nowhere/keys.jsonl", logger: Logger(label: "test"))
        let routes = Routes(
            control: control,
            started: started,
            entrance: BrowserEntrance(.off),
            tokens: tokens,
            keys: keys
        ) {}
        let application = Application(responder: OwnerDoor(api: ConsoleServer.router(routes).buildResponder()))
        return try await application.test(.router) { try await body(RouterClient(client: $0)) }
    }

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        headers: HTTPFields = [.contentType: "application/json"]
    ) async throws -> Reply {
        try await client.execute(
            uri: path,
            method: method,
            headers: body == nil ? [:] : headers,
            body: body.map { ByteBuffer(string: $0) }
        ) { response in
            Reply(
                status: response.status.code,
                contentType: response.headers[.contentType],
                allow: response.headers[.allow],
                body: Array(response.body.readableBytesView)
            )
        }
    }
}
