import HTTPTypes
import Hummingbird
import Synchronization

/// Answers that go on as long as things happen, of each token and each browser's session: so many and no more.
final class OpenStreams: Sendable {
    /// Held as long as the answer is.
    private final class Place: Sendable {
        private let streams: OpenStreams
        private let who: String

        init(_ streams: OpenStreams, _ who: String) { (self.streams, self.who) = (streams, who) }

        deinit { streams.leave(who) }
    }

    private let limit: Int
    private let counts = Mutex<[String: Int]>([:])

    init(limit: Int) { self.limit = limit }

    /// - Throws: a 429 for one stream too many.
    func hold(_ response: Response, of caller: Caller) throws(Problem) -> Response {
        guard response.body.contentLength == nil, Self.types.contains(response.headers[.contentType] ?? ""),
            let who = caller.streamOwner
        else { return response }
        let isFree = counts.withLock { counts in
            guard counts[who, default: 0] < limit else { return false }
            counts[who, default: 0] += 1
            return true
        }
        guard isFree else { throw .tooManyStreams(limit) }
        let place = Place(self, who)
        var response = response
        let body = response.body
        response.body = ResponseBody { writer in
            defer { withExtendedLifetime(place) {} }
            try await body.write(writer)
        }
        return response
    }

    private func leave(_ who: String) {
        counts.withLock { counts in
            guard let count = counts[who] else { return }
            counts[who] = count > 1 ? count - 1 : nil
        }
    }

    private static let types: Set = ["text/event-stream", "application/x-ndjson"]
}

extension Caller {
    /// Those who share a limit; nil: the owner has none.
    fileprivate var streamOwner: String? {
        switch self {
        case .owner: nil
        case .browser(let session): "session \(session.token.text)"
        case .token(let token): "token \(token.digest)"
        }
    }
}
