import AsyncHTTPClient
import HypervisorAPI
import NIOCore
import NIOHTTP1
import Time

/// HTTP to one host's agent. Knows bodies and errors, not what they mean.
struct HypervisorConnection: Sendable {
    let host: String
    /// `https://name:port`, without a path.
    let base: String
    let agent: AgentClient

    /// - Parameter patience: after it the call counts as not answered; nil: as long as the connection lives.
    /// - Throws: what the host says, or `host-unreachable`; then nobody knows whether it was done.
    func call<Body, Answer>(
        _ method: RemoteMethod<Body, Answer>,
        _ body: Body,
        patience: Span?
    ) async throws(HypervisorError) -> Answer {
        let response = try await open(method.path, try WireJSON.encode(body), patience: patience)
        let bytes = try await collect(response)
        guard response.status.code < 400 else { throw refusal(response, bytes) }
        return try WireJSON.decode(Answer.self, from: bytes)
    }

    /// `name:port`
    var address: String { String(base.dropFirst("https://".count)) }

    /// The next piece of a file at or behind an offset.
    /// - Parameters:
    ///   - path: of the file, as ``CheckpointFolders`` has it.
    ///   - grant: by which it may be read; nil: whoever commands the host may anyway.
    ///   - patience: as of a call.
    /// - Throws: what the host says, or `host-unreachable`.
    func piece(
        _ path: String,
        from offset: UInt64,
        grant: ReadGrant? = nil,
        patience: Span? = nil
    ) async throws(HypervisorError) -> FilePiece {
        var request = HTTPClientRequest(url: base + (grant == nil ? FileWire.path : GrantWire.path) + path)
        request.headers.add(name: "range", value: FileWire.range(from: offset))
        if let grant { request.headers.add(name: "authorization", value: GrantWire.authorization(grant.ticket)) }
        let response = try await send(request, patience: patience)
        let bytes = try await collect(response)
        guard response.status.code < 400 else { throw refusal(response, bytes) }
        guard let piece = response.headers.first(name: "content-range").flatMap(ContentRange.init)?.piece(bytes),
            piece.offset >= offset || piece.bytes.isEmpty
        else {
            throw HypervisorError(
                code: "message-invalid",
                message: "what host \(host) sent of \(path) is no piece of a file"
            )
        }
        return piece
    }

    /// Puts a piece of a file to its place.
    /// - Parameter path: likewise.
    func put(_ piece: FilePiece, to path: String) async throws(HypervisorError) {
        var request = HTTPClientRequest(url: base + FileWire.path + path)
        request.method = .PUT
        request.headers.add(name: "content-range", value: ContentRange(piece).text)
        request.body = .bytes(ByteBuffer(bytes: piece.bytes))
        let response = try await send(request, patience: nil)
        let bytes = try await collect(response)
        guard response.status.code < 400 else { throw refusal(response, bytes) }
    }

    /// The lines of an answer that comes piece by piece, those of each piece together; ends with it, however that ends.
    func lines(_ path: String, _ body: some Encodable) async throws(HypervisorError) -> AsyncStream<[[UInt8]]> {
        let response = try await open(path, try WireJSON.encode(body), patience: nil)
        guard response.status.code < 400 else { throw refusal(response, try await collect(response)) }
        return AsyncStream { continuation in
            let reading = Task {
                var lines = LineSplitter()
                do {
                    for try await chunk in response.body {
                        continuation.yield(lines.take(chunk.readableBytesView))
                        guard lines.pending <= WireFormat.bodyLimit else { break }
                    }
                } catch {
                    // It is only told what happens; that it happens does not depend on it.
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    private func open(_ path: String, _ body: [UInt8], patience: Span?) async throws(HypervisorError)
        -> HTTPClientResponse
    {
        var request = HTTPClientRequest(url: base + path)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await send(request, patience: patience)
    }

    private func send(_ request: HTTPClientRequest, patience: Span?) async throws(HypervisorError) -> HTTPClientResponse
    {
        do {
            let limit = patience.map { TimeAmount.nanoseconds($0.nanoseconds) } ?? .hours(24 * 365)
            return try await agent.client().execute(request, timeout: limit)
        } catch {
            throw unreachable(error)
        }
    }

    private func collect(_ response: HTTPClientResponse) async throws(HypervisorError) -> [UInt8] {
        do {
            return Array(try await response.body.collect(upTo: WireFormat.bodyLimit).readableBytesView)
        } catch {
            throw unreachable(error)
        }
    }

    private func refusal(_ response: HTTPClientResponse, _ bytes: [UInt8]) -> HypervisorError {
        if let refusal = try? WireJSON.decode(Refusal.self, from: bytes), !refusal.reasons.isEmpty {
            return HypervisorError(refusal.reasons)
        }
        return HypervisorError(
            code: "host-unreachable",
            message:
                "\(base) answers with HTTP status \(response.status.code) and no explanation: it may not be an agent of fermata"
        )
    }

    private func unreachable(_ error: any Error) -> HypervisorError {
        if error is CancellationError { return .cancelled }
        if let error = error as? HypervisorError { return error }
        return HypervisorError(
            code: "host-unreachable",
            message: "host \(host) at \(base) cannot be reached: \(TransportFailure.text(of: error))"
        )
    }
}
