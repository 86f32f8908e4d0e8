import AsyncHTTPClient
import HypervisorAPI
import NIOCore
import NIOSSL
import PKI
import Synchronization
import Time

/// HTTPS to one host, with the credentials of the moment: it is another client as soon as they change.
final class AgentClient: Sendable {
    private struct State {
        var client: HTTPClient?
        var generation = -1
        var isClosed = false
    }

    /// A host that swallows what is sent to it is not there.
    static let connectPatience = Span.seconds(5)
    /// What was asked by the old client may still be answered.
    private static let farewell = Duration.seconds(1200)

    private let host: String
    private let trust: @Sendable () throws(HypervisorError) -> LiveTrust
    private let state = Mutex(State())

    /// - Parameter trust: asked for each call: credentials may come later than the host was added.
    init(host: String, trust: @escaping @Sendable () throws(HypervisorError) -> LiveTrust) {
        self.host = host
        self.trust = trust
    }

    /// To the same host, with connections of its own.
    func another() -> AgentClient { AgentClient(host: host, trust: trust) }

    deinit {
        // The library wants to be told.
        if let client = state.withLock({ $0.client }) { Self.end(client, after: .zero) }
    }

    func client() throws -> HTTPClient {
        let trust = try trust()
        let (store, generation) = trust.current
        return try state.withLock { state in
            guard !state.isClosed else { throw CancellationError() }
            if let client = state.client, state.generation == generation { return client }
            if let old = state.client { Self.end(old, after: Self.farewell) }
            var configuration = HTTPClient.Configuration(tlsConfiguration: try .client(store))
            configuration.timeout.connect = .nanoseconds(Self.connectPatience.nanoseconds)
            configuration.timeout.read = nil
            configuration.httpVersion = .http1Only
            configuration.redirectConfiguration = .disallow
            // Whoever asks knows best whether to ask again.
            configuration.connectionPool.retryConnectionEstablishment = false
            // Reports and stages of many operations are waited for at once, and nothing may wait behind them.
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
            let host = host
            configuration.http1_1ConnectionDebugInitializer = { channel in
                Self.check(channel, is: host, by: trust)
            }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            state.client = client
            state.generation = generation
            return client
        }
    }

    /// Ends what is under way.
    func close() async {
        let client = state.withLock { state in
            defer { state.client = nil }
            state.isClosed = true
            return state.client
        }
        try? await client?.shutdown()
    }

    private static func end(_ client: HTTPClient, after pause: Duration) {
        Task {
            try? await Task.sleep(for: pause)
            try? await client.shutdown()
        }
    }

    /// Before the first request leaves: nobody is told anything who is not the host that was meant.
    ///
    /// Answers on the connection's event loop before it returns. The library loses count of connections that end while they are being
    /// looked at.
    private static func check(_ channel: any Channel, is host: String, by trust: LiveTrust) -> EventLoopFuture<Void> {
        do {
            let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes() ?? []
            _ = try trust.recognise(certificate, expecting: .hypervisor, name: host).get()
            try KeepAlive.enable(on: channel)
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            channel.eventLoop.execute { channel.close(promise: nil) }
            return channel.eventLoop.makeFailedFuture(error)
        }
    }
}
