import Hummingbird
import NIOCore
import NIOSSL
import PKI

/// A request with the connection that it came by, and so with who sent it.
struct AgentContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

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
        switch await trust.identify(chain, expecting: .control, name: master) {
        case .success: return try await next(request, context)
        case .failure(let refusal):
            throw Forbidden(message: "\(refusal)")
        }
    }
}

struct Forbidden: Error { var message: String }
