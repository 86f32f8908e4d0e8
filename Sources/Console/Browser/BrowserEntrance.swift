import HostClock
import Synchronization
import Time

/// The way into the web console: whether and where it listens, and who may come in.
public final class BrowserEntrance: Sendable {
    public enum Opening: Hashable, Sendable {
        /// Never.
        case off
        /// When somebody asks for a link first.
        case onDemand
        /// At once, at this port; 0: any that is free.
        case atOnce(port: Int)
    }

    private enum Listening {
        case closed
        case opening([CheckedContinuation<Int, any Error>])
        case open(port: Int)
        case ended
    }

    private struct State {
        var listening = Listening.closed
        var sessions: BrowserSessions
    }

    private let opening: Opening
    private let clock: any RealtimeClock
    private let state: Mutex<State>
    /// Each time that somebody wants it to listen.
    let wishes: AsyncStream<Void>
    private let wish: AsyncStream<Void>.Continuation

    public convenience init(_ opening: Opening) { self.init(opening, limits: BrowserSessions.Limits()) }

    init(_ opening: Opening, limits: BrowserSessions.Limits, clock: any RealtimeClock = SystemClock()) {
        self.opening = opening
        self.clock = clock
        state = Mutex(State(sessions: BrowserSessions(limits: limits)))
        (wishes, wish) = AsyncStream.makeStream(of: Void.self)
        if case .atOnce = opening { want(nil) }
    }

    var isOff: Bool { opening == .off }

    var wantedPort: Int {
        if case .atOnce(let port) = opening { port } else { 0 }
    }

    /// Where it listens; nil: not now.
    public var port: Int? {
        state.withLock { if case .open(let port) = $0.listening { port } else { nil } }
    }

    /// A link that lets one browser in, once, within five minutes.
    /// - Throws: ``Problem`` `console-off`, `console-failed`.
    public func link() async throws -> ConsoleAnswer {
        guard !isOff else { throw Problem.consoleOff }
        let port = try await withCheckedThrowingContinuation { want($0) }
        let (token, life) = state.withLock { ($0.sessions.offer(at: .now), $0.sessions.limits.linkLife) }
        let expires = clock.now() + .seconds(life.components.seconds)
        return ConsoleAnswer(url: "http://127.0.0.1:\(port)/enter?token=\(token.text)", port: port, expires: expires)
    }

    private func want(_ continuation: CheckedContinuation<Int, any Error>?) {
        let answer: Result<Int, any Error>? = state.withLock {
            switch $0.listening {
            case .open(let port): return .success(port)
            case .ended: return .failure(Problem.consoleFailed("the daemon is ending"))
            case .opening(let waiting):
                $0.listening = .opening(waiting + (continuation.map { [$0] } ?? []))
            case .closed:
                $0.listening = .opening(continuation.map { [$0] } ?? [])
                wish.yield()
            }
            return nil
        }
        if let answer { continuation?.resume(with: answer) }
    }

    func opened(at port: Int) { become(.open(port: port), .success(port)) }

    func failed(_ error: any Error) {
        become(.closed, .failure(Problem.consoleFailed("nothing can listen at 127.0.0.1:\(wantedPort) (\(error))")))
    }

    func end() { become(.ended, .failure(Problem.consoleFailed("the daemon is ending"))) }

    private func become(_ next: Listening, _ answer: Result<Int, any Error>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Int, any Error>] in
            defer { state.listening = next }
            if case .opening(let waiting) = state.listening { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume(with: answer) }
    }

    /// Lets a browser in, if its link is good.
    func enter(by token: some StringProtocol) -> BrowserSession? {
        state.withLock { $0.sessions.enter(by: token, at: .now) }
    }

    /// What the browser has open ends within a second.
    func leave(_ session: BrowserSession) { state.withLock { $0.sessions.end(session) } }

    func isOpen(_ session: BrowserSession) -> Bool { state.withLock { $0.sessions.isOpen(session, at: .now) } }

    /// Whose a cookie is.
    func session(of token: some StringProtocol) -> BrowserSession? {
        state.withLock { $0.sessions.use(token, at: .now) }
    }
}
