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
                try await write(events, to: &writer) { _, event in try .line(event) }
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

    static func response(_ changes: AsyncStream<Change>, as frames: ChangeFrames, on channel: any Channel) -> Response {
        response(type: "text/event-stream") { writer in
            try await write(changes, to: &writer, on: channel) { _, change in try frames.frame(of: change) }
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

    /// - Parameters:
    ///   - channel: of a client that listens for as long as it likes: it is let go of when it does not read. nil: of one that waits for the end,
    ///     and is told all.
    ///   - frame: of an event and how many there were before it; nil: it is left out.
    private static func write<Event: Sendable>(
        _ events: AsyncStream<Event>,
        to writer: inout any ResponseBodyWriter,
        on channel: (any Channel)? = nil,
        frame: @escaping @Sendable (Int, Event) throws -> EventFrame?
    ) async throws {
        let unwritten = UnwrittenFrames()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { unwritten.finish() }
                // A daemon that ends has called its operations off and told the results before.
                try await cancelWhenGracefulShutdown {
                    var count = 0
                    for await event in events {
                        defer { count += 1 }
                        guard let frame = try frame(count, event) else { continue }
                        guard unwritten.add(frame) > mostUnread, let channel else { continue }
                        // It does not read, so that the writing below stands still and would notice nothing.
                        channel.close(promise: nil)
                        return
                    }
                }
            }
            if channel != nil {
                tasks.addTask {
                    while true {
                        try await Task.sleep(for: heartbeat)
                        unwritten.add(.heartbeat)
                    }
                }
            }
            for await piece in unwritten.pieces { try await writer.write(piece) }
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
