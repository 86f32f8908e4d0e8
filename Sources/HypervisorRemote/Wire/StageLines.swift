import FoundationEssentials
import Hummingbird
import HypervisorAPI
import ServiceLifecycle

/// The stages of an operation as JSON lines, as they end.
enum StageLines {
    static let path = "/v\(WireFormat.version)/stages"

    static func response(_ stages: AsyncStream<Stage>) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                // At once, so that the other side knows that it is being told.
                try await writer.write(ByteBuffer(string: "\n"))
                for await stage in stages.cancelOnGracefulShutdown() {
                    try await writer.write(ByteBuffer(bytes: try WireJSON.encode(stage) + [UInt8(ascii: "\n")]))
                }
                try await writer.finish(nil)
            }
        )
    }

    /// The lines of what has come so far; the rest stays in `pending`.
    static func take(from pending: inout [UInt8]) -> [[UInt8]] {
        guard let end = pending.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        defer { pending.removeFirst(end + 1) }
        return pending[..<end].split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
}
