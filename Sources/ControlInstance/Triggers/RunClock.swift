public import Time

/// How long a simulation's machines have run, which all stand still and go on together.
public struct RunClock: Codable, Hashable, Sendable {
    /// Until they last went on.
    public internal(set) var ran = Span.zero
    /// When that was.
    public internal(set) var since: HostInstant

    private enum CodingKeys: String, CodingKey {
        case ran = "ranNs"
        case since = "sinceNs"
    }

    init(since: HostInstant) { self.since = since }

    func reading(at now: HostInstant) -> Span { ran + max(.zero, now - since) }

    /// They stood still in between.
    mutating func pause(from stop: HostInstant, to next: HostInstant) {
        ran = reading(at: stop)
        since = max(stop, next)
    }
}
