import ControlInstance
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// An operation's events as a response body: JSON lines, or server-sent events for who asks for them.
enum EventStream {
    static func response(_ events: AsyncStream<OperationEvent>, to request: Request) -> Response {
        let asServerSentEvents = request.headers[.accept]?.contains("text/event-stream") ?? false
        return Response(
            status: .ok,
            headers: [
                .contentType: asServerSentEvents ? "text/event-stream" : "application/x-ndjson",
                .cacheControl: "no-store",
            ],
            body: ResponseBody { writer in
                // A daemon that ends has called its operations off and told the results before.
                for await event in events.cancelOnGracefulShutdown() {
                    try await writer.write(ByteBuffer(bytes: try frame(event, asServerSentEvents)))
                }
                try await writer.finish(nil)
            }
        )
    }

    private static func frame(_ event: OperationEvent, _ asServerSentEvents: Bool) throws -> [UInt8] {
        // No line break can be in it: JSON escapes them.
        let json = try Answer.encode(event)
        return asServerSentEvents ? Array("data: ".utf8) + json + Array("\n\n".utf8) : json + [UInt8(ascii: "\n")]
    }
}
