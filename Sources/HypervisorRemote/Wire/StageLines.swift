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
}
