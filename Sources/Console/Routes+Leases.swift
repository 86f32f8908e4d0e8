import ControlInstance
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// Simulations that live as long as a connection does.
extension Routes {
    var leases: [Endpoint] {
        [
            .post("/v1/leases") { call in
                let simulation = try Call.name(try await call.body(LeaseBody.self).simulation, of: "simulation")
                var request = call.request
                // All of it has been read. What is handed on ends at once, and behind it is the connection.
                request.body = RequestBody(buffer: ByteBuffer())
                return hold(simulation, try await control.holdLease(of: simulation), request.body)
            },
            .post("/v1/leases/{simulation}/end") { call in
                let simulation = try call.simulation()
                let names = try await call.body(LeaseEndBody.self).keep ?? []
                for name in names { _ = try Call.name(name, of: "checkpoint") }
                return try Answer.json(try await control.endLease(of: simulation, keeping: names))
            },
        ]
    }

    /// One line when it is held, one when it has ended. A client that goes away in between ends it, however it went; a daemon that ends
    /// does not: machines go on running, and the next daemon waits for whoever held them.
    private func hold(_ simulation: String, _ end: AsyncStream<LeaseReport>, _ body: RequestBody) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                var writer = writer
                do {
                    try await writer.write(ByteBuffer(bytes: try line(LeaseHeld(simulation: simulation))))
                } catch {
                    control.dropLease(of: simulation)
                    throw error
                }
                let report = try await body.consumeWithInboundCloseHandler { _ -> LeaseReport? in
                    for await report in end.cancelOnGracefulShutdown() { return report }
                    return nil
                } onInboundClosed: {
                    // Also called when this side has ended; then nobody has gone.
                    guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
                    control.dropLease(of: simulation)
                }
                if let report { try await writer.write(ByteBuffer(bytes: try line(report))) }
                try await writer.finish(nil)
            }
        )
    }

    private func line(_ value: some Encodable) throws -> [UInt8] {
        Array(try Answer.encode(value)) + [UInt8(ascii: "\n")]
    }
}
