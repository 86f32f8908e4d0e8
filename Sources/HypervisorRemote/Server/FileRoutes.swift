import Hummingbird
import HypervisorAPI
import NIOCore

/// The bytes of checkpoints, a piece at a time.
struct FileRoutes: Sendable {
    let hypervisor: any Hypervisor
    let folders: CheckpointFolders

    func add(to router: Router<AgentContext>) {
        router.get(RouterPath(FileWire.path + "**")) { request, _ in
            let file = try folders.file(String(request.uri.path.dropFirst(FileWire.path.count)))
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
    }
}
