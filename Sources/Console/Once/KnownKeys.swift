/// What keys stand for, so many in all. When there are more, the oldest of whoever has sent the most is forgotten: who has not come back for so
/// long will not, and nobody can make others' be forgotten by sending many.
struct KnownKeys: Sendable {
    let limit: Int
    private var requests: [String: KeyedRequest] = [:]
    /// Keys by who has sent them, oldest first.
    private var senders: [String: [String]] = [:]

    init(limit: Int) { self.limit = limit }

    var count: Int { requests.count }

    /// Each sender's oldest first. Added in this order to none, they are the same.
    var all: [KeyedRequest] {
        senders.sorted { $0.key < $1.key }.flatMap { $0.value.compactMap { requests[$0] } }
    }

    subscript(key: String) -> KeyedRequest? { requests[key] }

    mutating func add(_ request: KeyedRequest) {
        guard requests[request.key] == nil else { return }
        requests[request.key] = request
        senders[request.sender ?? "", default: []].append(request.key)
        guard requests.count > limit else { return }
        // Of two with as many always the same one, so that a file that is read again comes to the same.
        guard let most = senders.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })?.key,
            let oldest = senders[most]?.removeFirst()
        else { return }
        requests[oldest] = nil
        if senders[most]?.isEmpty == true { senders[most] = nil }
    }
}
