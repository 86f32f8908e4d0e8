import HostClock
public import Logging
import Synchronization
import Time

/// The tokens of one control instance, in memory and in a file of its state folder.
public final class TokenBook: Sendable {
    static let limit = 256

    private enum State {
        case open([AccessToken])
        /// Whatever the file holds, none of it is believed.
        case unusable(String)
    }

    private let file: TokenFile
    private let clock: any RealtimeClock
    /// What is on disk. Whoever changes it does so on ``writing``, and nobody who reads it waits for that.
    private let state: Mutex<State>
    private let writing = WritingQueue("tokens")

    /// - Parameter path: absolute; need not be there. Of this process alone: it is read once.
    public convenience init(path: String, logger: Logger) {
        self.init(path: path, clock: SystemClock(), logger: logger)
    }

    init(path: String, clock: any RealtimeClock, logger: Logger) {
        file = TokenFile(path: path)
        self.clock = clock
        do throws(PrivateFile.Failure) {
            state = Mutex(.open(try file.read()))
        } catch {
            // Machines do not depend on it, and who comes by the UNIX socket has none.
            logger.error("tokens cannot be used", metadata: ["file": "\(path)", "error": "\(error.why)"])
            state = Mutex(.unusable(error.why))
        }
    }

    var all: [AccessToken] {
        get throws(Problem) { try kept(state.withLock { $0 }).sorted { $0.name < $1.name } }
    }

    /// Whose a text is.
    /// - Throws: ``Problem`` `token-unknown`, `token-expired`, `tokens-unusable`.
    func token(of text: String) throws(Problem) -> AccessToken {
        let tokens = try kept(state.withLock { $0 })
        let digest = AccessToken.digest(of: text)
        var found: AccessToken?
        // All are looked at, whichever it is.
        for token in tokens where BrowserToken.isSame(token.digest, as: digest) { found = token }
        guard let found else { throw .tokenUnknown }
        guard !found.isOver(at: clock.now()) else { throw .tokenExpired(found) }
        return found
    }

    /// Whether a token that was good is good now.
    func isGood(_ token: AccessToken) -> Bool {
        guard case .open(let tokens) = state.withLock({ $0 }) else { return false }
        return tokens.contains(token) && !token.isOver(at: clock.now())
    }

    /// - Parameters:
    ///   - life: nil: it has no end.
    ///   - limit: it has to end by then; nil: it need not.
    /// - Returns: the text, which nobody can tell again, and what is kept of it.
    func create(
        _ name: String,
        _ role: AccessRole,
        life: Span?,
        endingBy limit: HostInstant? = nil
    ) async throws(Problem) -> (text: String, token: AccessToken) {
        let text = AccessToken.prefix + BrowserToken().text
        let now = clock.now()
        let end = life.map { now + $0 }
        if let limit, end.map({ $0 > limit }) ?? true { throw .tokenOutlives(limit) }
        let token = AccessToken(
            name: name,
            role: role,
            created: now,
            expires: end,
            digest: AccessToken.digest(of: text)
        )
        try await change { tokens throws(Problem) in
            guard !tokens.contains(where: { $0.name == name }) else { throw .tokenExists(name) }
            guard tokens.count < Self.limit else { throw .tooManyTokens(Self.limit) }
            tokens.append(token)
        }
        return (text, token)
    }

    /// Good for nothing from now on.
    func revoke(_ name: String) async throws(Problem) {
        try await change { tokens throws(Problem) in
            guard let index = tokens.firstIndex(where: { $0.name == name }) else { throw .tokenNotFound(name) }
            tokens.remove(at: index)
        }
    }

    /// In the file first: what is told to be revoked is revoked after a loss of power, too.
    private func change(
        _ body: @escaping @Sendable (inout [AccessToken]) throws(Problem) -> Void
    ) async throws(Problem) {
        try await writing.run { [self] () throws(Problem) in
            var tokens = try kept(state.withLock { $0 })
            try body(&tokens)
            do throws(PrivateFile.Failure) {
                try file.write(tokens)
            } catch {
                throw .tokensNotWritten(file.path, error.why)
            }
            state.withLock { [tokens] in $0 = .open(tokens) }
        }
    }

    private func kept(_ state: State) throws(Problem) -> [AccessToken] {
        switch state {
        case .open(let tokens): return tokens
        case .unusable(let why): throw .tokensUnusable(file.path, why)
        }
    }
}
