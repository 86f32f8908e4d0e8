import HostClock
public import Logging
public import NIOSSL
public import PKI
import Synchronization
import Time

/// Who this host is and whom it believes, as its folder has it now: certificates are rotated and revoked without a restart.
///
/// A folder that cannot be read any more changes nothing, and is complained about: what was good stays good until it expires.
public final class LiveTrust: Sendable {
    private struct State {
        var store: TrustStore
        /// Grows with every change of the store.
        var generation = 0
        var looked = ContinuousClock.now
        var serverContext: NIOSSLContext?
        var openServerContext: NIOSSLContext?
        /// Peers that were identified with this store: signatures are checked once a connection, not once a request.
        var known: [Peer: PeerIdentity] = [:]
    }

    private struct Peer: Hashable {
        var certificate: [UInt8]
        var role: Role
        var name: String?
    }

    /// Between two looks at the files.
    private static let interval = Duration.milliseconds(500)
    private static let mostKnown = 256

    private let state: Mutex<State>
    private let clock: any RealtimeClock
    private let logger: Logger

    public convenience init(_ store: TrustStore, logger: Logger) {
        self.init(store, clock: SystemClock(), logger: logger)
    }

    init(_ store: TrustStore, clock: any RealtimeClock, logger: Logger) {
        state = Mutex(State(store: store))
        self.clock = clock
        self.logger = logger
    }

    public var identity: PeerIdentity { current.store.credentials.identity }

    /// The store now, and a number that tells it from earlier ones.
    var current: (store: TrustStore, generation: Int) {
        state.withLock { state in
            look(&state)
            return (state.store, state.generation)
        }
    }

    /// For the next connection that comes.
    func serverContext() throws -> NIOSSLContext {
        try state.withLock { state in
            look(&state)
            if let context = state.serverContext { return context }
            let context = try NIOSSLContext(configuration: .server(state.store))
            state.serverContext = context
            return context
        }
    }

    /// For the next connection of a client that shows no certificate.
    public func openServerContext() throws -> NIOSSLContext {
        try state.withLock { state in
            look(&state)
            if let context = state.openServerContext { return context }
            let context = try NIOSSLContext(configuration: .openServer(state.store))
            state.openServerContext = context
            return context
        }
    }

    /// Who a peer is by its certificates. One that is refused is in the log.
    /// - Parameter chain: DER, its own first.
    func identify(
        _ chain: [[UInt8]],
        expecting role: Role,
        name: String? = nil
    ) async -> Result<PeerIdentity, PeerRefusal> {
        let result = await identified(chain, expecting: role, name: name)
        if case .failure(let refusal) = result { log(refusal) }
        return result
    }

    /// The same for one that may be somebody else as well: nothing is said in the log.
    func peer(_ chain: [[UInt8]], of role: Role) async -> PeerIdentity? {
        try? await identified(chain, expecting: role, name: nil).get()
    }

    private func identified(
        _ chain: [[UInt8]],
        expecting role: Role,
        name: String?
    ) async -> Result<PeerIdentity, PeerRefusal> {
        let (store, generation) = current
        let now = clock.now()
        let peer = Peer(certificate: chain.first ?? [], role: role, name: name)
        if let known = state.withLock({ $0.known[peer] }), known.expires > now { return .success(known) }
        let result = await store.policy.identify(chain: chain, expecting: role, name: name, at: now)
        if case .success(let identity) = result {
            state.withLock { state in
                guard state.generation == generation else { return }
                if state.known.count >= Self.mostKnown { state.known = [:] }
                state.known[peer] = identity
            }
        }
        return result
    }

    /// Who a peer is by a certificate that TLS has accepted. At once; see ``TrustPolicy/recognise(certificate:expecting:name:at:)``.
    func recognise(_ certificate: [UInt8], expecting role: Role, name: String) -> Result<PeerIdentity, PeerRefusal> {
        let result = current.store.policy.recognise(
            certificate: certificate,
            expecting: role,
            name: name,
            at: clock.now()
        )
        if case .failure(let refusal) = result { log(refusal) }
        return result
    }

    private func log(_ refusal: PeerRefusal) {
        logger.warning("refused a peer", metadata: ["reason": "\(refusal.reason.rawValue)", "detail": "\(refusal)"])
    }

    private func look(_ state: inout State) {
        guard ContinuousClock.now - state.looked > Self.interval else { return }
        state.looked = .now
        guard state.store.hasChanged() else { return }
        do throws(PKIError) {
            state.store = try state.store.reloaded()
            state.generation += 1
            state.serverContext = nil
            state.openServerContext = nil
            state.known = [:]
            logger.notice("read the credentials anew", metadata: ["identity": "\(state.store.credentials)"])
        } catch {
            logger.error("credentials have changed and cannot be read: \(error)")
        }
    }
}
