import Hummingbird
import HypervisorAPI
import NIOCore

/// The bytes of checkpoints, a piece at a time.
struct FileRoutes: Sendable {
    let hypervisor: any Hypervisor
    let folders: CheckpointFolders

    func add(to router: Router<AgentContext>) {
        router.get(RouterPath(FileWire.path + "**")) { request, _ in
            let file = try folders.file(Self.path(of: request), of: [.checkpoint, .export])
            return try await Self.piece(of: file, for: request, from: hypervisor)
        }
        router.put(RouterPath(FileWire.path + "**")) { request, _ in
            let file = try folders.file(Self.path(of: request), of: [.arrival])
            guard let range = request.headers[.contentRange].flatMap(ContentRange.init),
                let body = try? await request.body.collect(upTo: FilePiece.mostBytes),
                let piece = range.piece(Array(body.readableBytesView))
            else {
                throw HypervisorError(
                    code: "message-invalid",
                    message: "what came of \(file.path) is no piece of a file"
                )
            }
            try await hypervisor.write(piece, to: file)
            return Response(status: .noContent)
        }
    }

    /// The answer to whoever may read a file.
    static func piece(
        of file: FilePlace,
        for request: Request,
        from hypervisor: any Hypervisor
    ) async throws -> Response {
        let piece = try await hypervisor.read(
            file,
            from: try FileWire.offset(of: request.headers[.range] ?? FileWire.range(from: 0))
        )
        return Response(
            status: piece.bytes.isEmpty ? .noContent : .partialContent,
            headers: [
                .contentType: "application/octet-stream", .contentRange: ContentRange(piece).text,
                .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: piece.bytes))
        )
    }

    private static func path(of request: Request) -> String {
        String(request.uri.path.dropFirst(FileWire.path.count))
    }
}
