/// Who may use the web console: links that were given out, and the browsers that came in by one. Knows no time but what it is told.
struct BrowserSessions: Sendable {
    struct Limits: Sendable {
        /// Links that nobody has used yet.
        var links = 16
        var sessions = 32
        /// How long a link can be used.
        var linkLife: Duration = .seconds(300)
        /// How long a browser may be silent: a working day with a meeting in it.
        var idle: Duration = .seconds(8 * 3600)
        var total: Duration = .seconds(24 * 3600)
    }

    private struct Link: Sendable {
        let token: BrowserToken
        let ends: ContinuousClock.Instant
    }

    let limits: Limits
    private var links: [Link] = []
    private var sessions: [BrowserSession] = []

    init(limits: Limits = Limits()) { self.limits = limits }

    /// A new link; of too many, the oldest is good no more.
    mutating func offer(at now: ContinuousClock.Instant) -> BrowserToken {
        let token = BrowserToken()
        links.removeAll { $0.ends <= now }
        if links.count >= limits.links { links.removeFirst() }
        links.append(Link(token: token, ends: now + limits.linkLife))
        return token
    }

    /// Uses a link up.
    /// - Returns: nil: there is no such link, it has been used, or it was for an earlier time.
    mutating func enter(by token: some StringProtocol, at now: ContinuousClock.Instant) -> BrowserSession? {
        forget(at: now)
        var used: Link?
        // All are looked at, whichever it is.
        for link in links where link.token.isSame(as: token) { used = link }
        guard let used else { return nil }
        links.removeAll { $0.token == used.token }
        if sessions.count >= limits.sessions, let idlest = sessions.indices.min(by: { isIdler($0, than: $1) }) {
            sessions.remove(at: idlest)
        }
        let session = BrowserSession(ends: now + limits.total, lastUse: now)
        sessions.append(session)
        return session
    }

    /// The session of a cookie, which is in use by that.
    mutating func use(_ token: some StringProtocol, at now: ContinuousClock.Instant) -> BrowserSession? {
        forget(at: now)
        var found: Int?
        for (index, session) in sessions.enumerated() where session.token.isSame(as: token) { found = index }
        guard let found else { return nil }
        sessions[found].lastUse = now
        return sessions[found]
    }

    mutating func end(_ session: BrowserSession) { sessions.removeAll { $0.token == session.token } }

    /// Whether nobody has ended it, and its time is not over. Is no use of it.
    func isOpen(_ session: BrowserSession, at now: ContinuousClock.Instant) -> Bool {
        session.ends > now && sessions.contains { $0.token == session.token }
    }

    private mutating func forget(at now: ContinuousClock.Instant) {
        links.removeAll { $0.ends <= now }
        sessions.removeAll { $0.ends <= now || $0.lastUse + limits.idle <= now }
    }

    private func isIdler(_ one: Int, than other: Int) -> Bool { sessions[one].lastUse < sessions[other].lastUse }
}
