import Hummingbird
import NIOCore
import NIOSSL
import PKI

/// A request with the connection that it came by, and so with who sent it.
struct AgentContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel
    /// The host that asks for what it was granted; nil: a control instance asks.
    var reader: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The peer's certificate, DER; nil without TLS.
    func certificate() async -> [UInt8]? {
        guard let certificate = try? await channel.nioSSL_peerCertificate().get() else { return nil }
        return try? certificate.toDERBytes()
    }
}

/// Of a connection that lives for long: who has been revoked, or has expired, since it began has no more say.
struct TrustMiddleware: RouterMiddleware {
    let trust: LiveTrust
    let master: String?

    func handle(
        _ request: Request,
        context: AgentContext,
        next: (Request, AgentContext) async throws -> Response
    ) async throws -> Response {
        let chain = await context.certificate().map { [$0] } ?? []
        // What hosts may ask for has a path of its own, and nothing else is behind that.
        let isGranted = request.uri.path.hasPrefix(GrantWire.path)
        let identified =
            isGranted
            ? await trust.identify(chain, expecting: .hypervisor)
            : await trust.identify(chain, expecting: .control, name: master)
        switch identified {
        case .success(let peer):
            var context = context
            if isGranted { context.reader = peer.name }
            return try await next(request, context)
        case .failure(let refusal):
            throw Forbidden(message: "\(refusal)")
        }
    }
}

struct Forbidden: Error { var message: String }
