import Archive
import ControlInstance
import HTTPTypes
import Hummingbird
import ServiceLifecycle

extension Routes {
    /// What takes as long as reading and sending whole checkpoints does; archives are bodies that are streams of any length.
    var transfers: [Endpoint] {
        [
            .get("/v1/simulations/{simulation}/checkpoints/{checkpoint}/archive") { call in
                Self.archive(try await control.export(try call.simulation(), try call.checkpoint()))
            },
            .post("/v1/simulations/{simulation}/checkpoints/{checkpoint}/move") { call in
                let simulation = try call.simulation()
                let checkpoint = try call.checkpoint()
                let body = try await call.body(MoveBody.self)
                // They are run as the daemon's user.
                if body.qemu?.isEmpty == false { try call.require(.admin) }
                let request = MoveRequest(
                    simulation: simulation,
                    checkpoint: checkpoint,
                    newCheckpoint: try body.checkpoint.map { try Call.name($0, of: "checkpoint") },
                    hosts: body.hosts,
                    binaries: body.qemu ?? []
                )
                return try Answer.json(try await control.move(request), status: .created)
            },
            .post("/v1/import") { call in
                let values = try call.parameters("as", "qemu", "host")
                var request = ImportRequest(binaries: values[1], hosts: try Self.hosts(values[2]))
                if let name = values[0].first {
                    let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
                    request.simulation = try Call.name(String(parts[0]), of: "simulation")
                    if parts.count == 2 { request.checkpoint = try Call.name(String(parts[1]), of: "checkpoint") }
                }
                return try Answer.json(try await receive(request, call.request.body), status: .created)
            },
        ]
    }

    /// Of `MACHINE=HOST`, by machine.
    private static func hosts(_ values: [String]) throws -> [String: String] {
        var hosts: [String: String] = [:]
        for value in values {
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty, hosts[parts[0]] == nil else {
                throw Problem.badRequest(
                    "'\(value)' does not say where one machine goes (parameter host): MACHINE=HOST"
                )
            }
            hosts[try Call.name(parts[0], of: "machine")] = parts[1]
        }
        return hosts
    }

    private static func archive(_ export: CheckpointExport) -> Response {
        let name = "\(export.simulation)@\(export.checkpoint).tar.zst"
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/zstd",
                .contentDisposition: "attachment; filename=\"\(name)\"",
                .cacheControl: "no-store",
            ],
            body: ResponseBody { writer in
                // What is thrown ends the connection without the body's end, so that no client takes it for whole.
                try await export.write { bytes in
                    try Task.checkCancellation()
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            }
        )
    }

    /// Reads the body no faster than it is written to disk.
    private func receive(_ request: ImportRequest, _ body: RequestBody) async throws -> ImportReport {
        let channel = ByteChannel()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await chunk in body.cancelOnGracefulShutdown() {
                        guard await channel.send(Array(chunk.readableBytesView)) else { return }
                    }
                    // The stream ends with the daemon, too.
                    if Task.isShuttingDownGracefully { channel.cancel() } else { channel.finish() }
                } catch {
                    // The sender has gone.
                    channel.cancel()
                }
            }
            defer { group.cancelAll() }
            return try await control.importCheckpoint(request, from: channel)
        }
    }
}
