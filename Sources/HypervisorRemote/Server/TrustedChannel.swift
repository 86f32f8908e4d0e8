import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import PKI

/// HTTP/1.1 over mutual TLS, each connection with the credentials of its moment.
struct TrustedChannel: HTTPChannelHandler {
    let base: HTTP1Channel
    let trust: LiveTrust
    let master: String?
    let grants: GrantBook

    var responder: HTTPChannelHandler.Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let (trust, master, grants) = (trust, master, grants)
        return channel.eventLoop.makeCompletedFuture {
            let handler = NIOSSLServerHandler(
                context: try trust.serverContext(),
                customVerificationCallback: { certificates, promise in
                    promise.completeWithTask {
                        let chain = try certificates.map { try $0.toDERBytes() }
                        // Another host is let in for as long as it may read something; to command it is none the nearer.
                        if grants.areOpen, let peer = await trust.peer(chain, of: .hypervisor),
                            grants.hasReader(peer.name)
                        {
                            return grants.admits(peer.name, on: channel) ? .certificateVerified : .failed
                        }
                        switch await trust.identify(chain, expecting: .control, name: master) {
                        case .success: return .certificateVerified
                        case .failure: return .failed
                        }
                    }
                },
                configuration: .init()
            )
            try channel.pipeline.syncOperations.addHandlers([handler, HandshakeDeadline(logger: logger)])
        }
        .flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
