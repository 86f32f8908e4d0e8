import ControlInstance
import HTTPTypes
import Hummingbird
import HypervisorAPI
import NIOCore
import ServiceLifecycle

/// Events as a response body: server-sent events, or JSON lines.
enum EventStream {
    /// Far more than happens while a client is busy. One that falls further behind is let go of: it can come back, and go on behind
    /// what it saw last.
    private static let mostUnread = 4096
    private static let heartbeat: Duration = .seconds(15)

    /// An operation's events: JSON lines, or server-sent events for who asks for them, numbered and without those that were seen.
    static func response(
        _ events: AsyncStream<OperationEvent>,
        to request: Request,
        on channel: any Channel
    ) -> Response {
        guard request.headers[.accept]?.contains("text/event-stream") ?? false else {
            return response(type: "application/x-ndjson") { writer in
                // A daemon that ends has called its operations off and told the results before.
                for await event in events.cancelOnGracefulShutdown() {
                    try await writer.write(ByteBuffer(bytes: try EventFrame.line(event).bytes))
                }
            }
        }
        let seen = request.headers[.lastEventID].flatMap { Int($0) } ?? 0
        return response(type: "text/event-stream") { writer in
            try await write(events, to: &writer, on: channel) { number, event in
                // Of an operation that is over the result is all that is told.
                if case .result = event { return try .event(id: "end", event) }
                return number < seen ? nil : try .event(id: "\(number + 1)", event)
            }
        }
    }

    static func response(_ changes: AsyncStream<Change>, on channel: any Channel) -> Response {
        response(type: "text/event-stream") { writer in
            try await write(changes, to: &writer, on: channel) { _, change in
                try .event(id: change.id, name: change.name, change)
            }
        }
    }

    /// What a serial port says. It is read as fast as it is taken: what a slow client has not taken is where it was, and not in memory.
    static func response(_ news: AsyncStream<SerialNews>) -> Response {
        response(type: "text/event-stream") { writer in
            var written = ContinuousClock.now
            for await one in news.cancelOnGracefulShutdown() {
                guard let frame = try frame(of: one, after: ContinuousClock.now - written) else { continue }
                try await writer.write(ByteBuffer(bytes: frame.bytes))
                written = .now
            }
        }
    }

    /// - Parameter quiet: how long nothing was written.
    private static func frame(of news: SerialNews, after quiet: Duration) throws -> EventFrame? {
        switch news {
        case .output(let chunk): return .event(id: "\(chunk.end)", name: "output", base64: chunk.bytes)
        case .state(let state): return try .event(id: nil, name: "state", state)
        case .silence: return quiet < heartbeat ? nil : .heartbeat
        }
    }

    /// - Parameter frame: of an event and how many there were before it; nil: it is left out.
    private static func write<Event: Sendable>(
        _ events: AsyncStream<Event>,
        to writer: inout any ResponseBodyWriter,
        on channel: any Channel,
        frame: @escaping @Sendable (Int, Event) throws -> EventFrame?
    ) async throws {
        let (frames, queue) = AsyncStream.makeStream(
            of: EventFrame.self,
            bufferingPolicy: .bufferingOldest(mostUnread)
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { queue.finish() }
                var count = 0
                for await event in events.cancelOnGracefulShutdown() {
                    defer { count += 1 }
                    guard let frame = try frame(count, event) else { continue }
                    guard case .dropped = queue.yield(frame) else { continue }
                    // It does not read, so that the writing below stands still and would notice nothing.
                    channel.close(promise: nil)
                    return
                }
            }
            tasks.addTask {
                while true {
                    try await Task.sleep(for: heartbeat)
                    queue.yield(.heartbeat)
                }
            }
            for await frame in frames { try await writer.write(ByteBuffer(bytes: frame.bytes)) }
            tasks.cancelAll()
        }
    }

    private static func response(
        type: String,
        _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await write(&writer)
                try await writer.finish(nil)
            }
        )
    }
}
