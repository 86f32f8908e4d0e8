import AsyncHTTPClient
import Console
import FoundationEssentials
import HypervisorRemote
import NIOCore
import NIOHTTP1

/// The HTTP API of one control instance. Knows paths and bodies by topic in its extensions; here is only the transport.
struct ControlClient: Sendable {
    let transport: ControlTransport

    /// Of what takes as long as it takes.
    static let noLimit = TimeAmount.hours(24 * 365)

    /// The body of a successful answer, as it came.
    ///
    /// - Throws: ``CommandFailure`` with what the daemon said, or that it could not be reached.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        body: Data? = nil,
        key: String? = nil,
        patience: TimeAmount = .minutes(30)
    )
        async throws -> Data
    {
        let content = body.map { HTTPClientRequest.Body.bytes(ByteBuffer(bytes: $0)) }
        let headers = key.map { ["idempotency-key": $0] } ?? [:]
        let response = try await open(
            method,
            path,
            content,
            type: "application/json",
            headers: headers,
            patience: patience
        )
        let bytes: ByteBuffer
        do {
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw unreachable(error)
        }
        return Data(bytes.readableBytesView)
    }

    func get<Answer: Decodable>(_: Answer.Type, _ path: String) async throws -> Received<Answer> {
        try Received(await send(.GET, path))
    }

    /// The lines of a body that comes while something runs. No limit in time: an operation takes what it takes.
    func lines(_ path: String) async throws -> AsyncThrowingStream<Data, any Error> {
        let response = try await open(.GET, path, patience: Self.noLimit)
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    var lines = LineSplitter()
                    for try await chunk in response.body {
                        for line in lines.take(chunk.readableBytesView) { continuation.yield(Data(line)) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: unreachable(error))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    func open(
        _ method: HTTPMethod,
        _ path: String,
        _ body: HTTPClientRequest.Body? = nil,
        type: String? = nil,
        headers: [String: String] = [:],
        patience: TimeAmount
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: transport.base + path)
        request.method = method
        request.body = body
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if body != nil, let type { request.headers.add(name: "content-type", value: type) }
        if let token = transport.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        let response: HTTPClientResponse
        do {
            response = try await transport.http.execute(request, timeout: patience)
        } catch {
            throw unreachable(error)
        }
        guard response.status.code >= 400 else { return response }
        let bytes = Data((try? await response.body.collect(upTo: 1 << 20))?.readableBytesView ?? ByteBufferView())
        if let problem = try? JSONDecoder().decode(Problem.self, from: bytes) { throw CommandFailure(problem: problem) }
        throw CommandFailure(
            .failed,
            code: "not-a-control-instance",
            "\(transport.name) answers with HTTP status \(response.status.code) and no explanation: "
                + "it may not be a control instance of fermata"
        )
    }

    private func unreachable(_ error: any Error) -> CommandFailure { transport.failure(error) }

    /// RFC 3986: everything but unreserved characters, so that the socket's path is one host name.
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        .joined()
    }
}
