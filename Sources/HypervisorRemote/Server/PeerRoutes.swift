import HTTPTypes
import Hummingbird
import HypervisorAPI
import NIOCore

/// What other hosts read here. The one thing that a hypervisor's certificate is good for at another hypervisor.
struct PeerRoutes: Sendable {
    let hypervisor: any Hypervisor
    let folders: CheckpointFolders
    let grants: GrantBook

    func add(to router: Router<AgentContext>) {
        router.get(RouterPath(GrantWire.path + "**")) { request, context in
            guard let reader = context.reader else { throw Forbidden(message: "who asks for this has to be a host") }
            let path = String(request.uri.path.dropFirst(GrantWire.path.count))
            let file = try folders.file(path, of: [.checkpoint, .export])
            let ticket = GrantWire.ticket(of: request.headers[.authorization])
            try grants.check(reader, reading: file, with: ticket)
            return try await FileRoutes.piece(of: file, for: request, from: hypervisor)
        }
    }
}
