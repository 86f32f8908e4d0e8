import Dispatch

/// One connection to a database, made when it is needed and again when it was lost.
///
/// libpq waits; it does so on a queue of the client's own, one transaction after the other in the order in which they were asked for.
/// While the server is away callers hear so at once, and a new connection is tried after a pause that grows up to two seconds.
///
/// `@unchecked Sendable`: `state` is touched on `queue` alone.
public final class PostgreSQLClient: @unchecked Sendable {
    public struct Limits: Hashable, Sendable {
        public var connect = Duration.seconds(5)
        /// Of one transaction.
        public var transaction = Duration.seconds(10)
        public init() {}
    }

    private struct State {
        var link: Link?
        var failure: PostgreSQLError?
        var nextAttempt = ContinuousClock.now
        var pause = firstPause
    }

    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    public let address: PostgreSQLAddress
    private let libpq: LibPQ
    private let limits: Limits
    private let prepare: @Sendable (PostgreSQLSession) throws -> Void
    private let queue = DispatchQueue(label: "fermata.postgresql")
    private var state = State()

    /// - Parameter prepare: what is done first on each new connection; outside a transaction.
    /// - Throws: `libraryMissing`.
    public init(
        _ address: PostgreSQLAddress,
        limits: Limits = Limits(),
        prepare: @escaping @Sendable (PostgreSQLSession) throws -> Void = { _ in }
    ) throws(PostgreSQLError) {
        libpq = try LibPQ.shared.get()
        self.address = address
        self.limits = limits
        self.prepare = prepare
    }

    /// Carries out a transaction; when it returns, it is durable.
    /// - Parameter body: is called once more when the connection is lost in the middle, also when nobody knows whether the first time was
    ///   committed: doing it twice must be as good as once.
    /// - Throws: what `body` throws, and ``PostgreSQLError``.
    public func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLSession) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try perform(body) }) }
        }
    }

    /// The same without anybody who waits for it; it has its place in the order at once.
    /// - Parameter ended: hears whether it was done.
    public func enqueue(
        _ body: @escaping @Sendable (PostgreSQLSession) throws -> Void,
        ended: @escaping @Sendable (Bool) -> Void
    ) {
        queue.async { [self] in ended((try? perform(body)) != nil) }
    }

    /// Gives the connection back. The next transaction makes a new one.
    public func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                state.link = nil
                continuation.resume()
            }
        }
    }

    private func perform<Value>(_ body: (PostgreSQLSession) throws -> Value) throws -> Value {
        do {
            return try once(body)
        } catch let error as PostgreSQLError {
            // A server that was started anew since the last time is seen by its connection only now.
            guard case .lost = error.kind else { throw error }
            do {
                return try once(body)
            } catch let second as PostgreSQLError where second.isConnectionLoss {
                // What the first attempt left in doubt, the second did not settle.
                throw error.kind == .lost(inDoubt: true) ? error : second
            }
        }
    }

    private func once<Value>(_ body: (PostgreSQLSession) throws -> Value) throws -> Value {
        let link = try connected()
        let session = PostgreSQLSession(link: link, deadline: ContinuousClock.now + limits.transaction)
        defer { if link.isLost { state.link = nil } }
        try session.run("BEGIN")
        let value: Value
        do {
            value = try body(session)
        } catch {
            // One that cannot be taken back is no connection to go on with.
            if !link.isLost, (try? session.run("ROLLBACK")) == nil { state.link = nil }
            throw error
        }
        do {
            try session.run("COMMIT")
        } catch {
            guard case .lost = error.kind else { throw error }
            throw PostgreSQLError(.lost(inDoubt: true), error.message)
        }
        return value
    }

    private func connected() throws -> Link {
        if let link = state.link { return link }
        if let failure = state.failure, ContinuousClock.now < state.nextAttempt { throw failure }
        do {
            let link = try Link(libpq, address, within: limits.connect)
            try prepare(PostgreSQLSession(link: link, deadline: ContinuousClock.now + limits.transaction))
            state = State(link: link)
            return link
        } catch let error as PostgreSQLError {
            state.failure = error
            state.nextAttempt = ContinuousClock.now + state.pause
            state.pause = min(state.pause * 2, Self.longestPause)
            throw error
        }
    }
}
