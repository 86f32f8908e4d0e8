import Testing

@testable import Console

/// Who may use the web console, and for how long; time is what the test says.
@Suite struct BrowserSessionsTests {
    private static let limits = BrowserSessions.Limits(
        links: 3,
        sessions: 2,
        linkLife: .seconds(300),
        idle: .seconds(1000),
        total: .seconds(5000)
    )

    private let start = ContinuousClock.now

    @Test func `a link lets one browser in, once`() throws {
        let sessions = Kept(Self.limits)
        let link = sessions.offer(at: start)
        let session = try #require(sessions.enter(by: link.text, at: start))
        #expect(sessions.use(session.token.text, at: start) != nil)
        #expect(sessions.enter(by: link.text, at: start) == nil)
    }

    @Test func `a link is good until its end and not at it`() throws {
        let sessions = Kept(Self.limits)
        let early = sessions.offer(at: start)
        let late = sessions.offer(at: start)
        #expect(sessions.enter(by: early.text, at: start + .seconds(300) - .nanoseconds(1)) != nil)
        #expect(sessions.enter(by: late.text, at: start + .seconds(300)) == nil)
    }

    @Test(arguments: ["", "0", String(repeating: "0", count: 64), String(repeating: "a", count: 1 << 16), "\u{0}", "ä"])
    func `what is no token of ours lets nobody in`(_ text: String) {
        let sessions = Kept(Self.limits)
        let link = sessions.offer(at: start)
        #expect(sessions.enter(by: text, at: start) == nil)
        #expect(sessions.use(text, at: start) == nil)
        // A link is no session, and neither is part of it a link.
        #expect(sessions.use(link.text, at: start) == nil)
        #expect(sessions.enter(by: link.text.dropLast(), at: start) == nil)
        #expect(sessions.enter(by: link.text + "0", at: start) == nil)
        #expect(sessions.enter(by: link.text, at: start) != nil)
    }

    @Test func `of too many links the oldest is good no more`() {
        let sessions = Kept(Self.limits)
        let links = (0..<4).map { _ in sessions.offer(at: start) }
        #expect(links.map { sessions.enter(by: $0.text, at: start) != nil } == [false, true, true, true])
    }

    @Test func `of too many sessions the one that was silent for longest ends`() throws {
        let sessions = Kept(Self.limits)
        let first = try session(sessions, at: start)
        let second = try session(sessions, at: start + .seconds(1))
        #expect(sessions.use(first.token.text, at: start + .seconds(2)) != nil)
        let third = try session(sessions, at: start + .seconds(3))
        let now = start + .seconds(4)
        #expect([first, second, third].map { sessions.use($0.token.text, at: now) != nil } == [true, false, true])
    }

    @Test func `a session ends when it was silent for too long, and only then`() throws {
        let sessions = Kept(Self.limits)
        let session = try session(sessions, at: start)
        #expect(sessions.use(session.token.text, at: start + .seconds(999)) != nil)
        #expect(sessions.use(session.token.text, at: start + .seconds(1998)) != nil)
        #expect(sessions.use(session.token.text, at: start + .seconds(2998)) == nil)
        // Gone is gone, whatever the time.
        #expect(sessions.use(session.token.text, at: start + .seconds(1999)) == nil)
    }

    @Test func `a session ends at its time, however busy it is`() throws {
        let sessions = Kept(Self.limits)
        let session = try session(sessions, at: start)
        for second in stride(from: 0, to: 5000, by: 500) {
            #expect(sessions.use(session.token.text, at: start + .seconds(second)) != nil)
        }
        #expect(sessions.use(session.token.text, at: start + .seconds(5000)) == nil)
    }

    @Test func `no two tokens are the same, and each is 64 digits`() {
        let tokens = (0..<1000).map { _ in BrowserToken() }
        #expect(Set(tokens).count == 1000)
        #expect(tokens.allSatisfy { $0.text.count == 64 && $0.text.allSatisfy(\.isHexDigit) })
    }

    private func session(_ sessions: Kept, at now: ContinuousClock.Instant) throws -> BrowserSession {
        let link = sessions.offer(at: now)
        return try #require(sessions.enter(by: link.text, at: now))
    }

    /// Expectations cannot hold calls that change a value.
    private final class Kept {
        private var sessions: BrowserSessions

        init(_ limits: BrowserSessions.Limits) { sessions = BrowserSessions(limits: limits) }

        func offer(at now: ContinuousClock.Instant) -> BrowserToken { sessions.offer(at: now) }

        func enter(by token: some StringProtocol, at now: ContinuousClock.Instant) -> BrowserSession? {
            sessions.enter(by: token, at: now)
        }

        func use(_ token: some StringProtocol, at now: ContinuousClock.Instant) -> BrowserSession? {
            sessions.use(token, at: now)
        }
    }
}
