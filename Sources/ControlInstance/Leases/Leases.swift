import Time

/// Which simulations live only as long as somebody holds them. A value: whoever keeps it has the lock.
struct Leases {
    typealias Holder = AsyncStream<LeaseReport>.Continuation

    private struct Lease {
        /// nil: nobody holds it; a daemon has found it and waits for whoever did.
        var holder: Holder?
        var isEnding = false
    }

    private var leases: [String: Lease] = [:]
    /// Those that ended with all that was theirs, and when.
    private var ended: [String: HostInstant] = [:]

    /// A request of somebody who was killed may be read only after his lease has ended: what it asks for would be nobody's.
    private static let memory = Span.seconds(60)

    func contains(_ simulation: String) -> Bool { leases[simulation] != nil }

    /// Of all but this one: what they stand on becomes free with them.
    func isAnyEnding(besides simulation: String) -> Bool {
        leases.contains { $0.key != simulation && $0.value.isEnding }
    }

    /// Whether nothing new may begin with it.
    func isOver(_ simulation: String, at now: HostInstant) -> Bool {
        if let lease = leases[simulation] { return lease.isEnding }
        return ended[simulation].map { now - $0 < Self.memory } ?? false
    }

    mutating func begin(_ simulation: String, _ holder: Holder) {
        ended[simulation] = nil
        leases[simulation] = Lease(holder: holder)
    }

    /// Of a daemon that ended before the lease did.
    mutating func find(_ simulation: String) {
        if leases[simulation] == nil { leases[simulation] = Lease(holder: nil) }
    }

    /// Takes up one that nobody holds.
    /// - Returns: whether there was one.
    mutating func takeUp(_ simulation: String, _ holder: Holder) -> Bool {
        guard let lease = leases[simulation], lease.holder == nil, !lease.isEnding else { return false }
        leases[simulation]?.holder = holder
        return true
    }

    /// - Parameter orphansOnly: only if nobody has taken it up.
    /// - Returns: whether there is one to end.
    mutating func beginEnding(_ simulation: String, orphansOnly: Bool = false) -> Bool {
        guard let lease = leases[simulation], !orphansOnly || lease.holder == nil else { return false }
        leases[simulation]?.isEnding = true
        return true
    }

    /// - Parameter isGone: whether nothing of the simulation is left.
    /// - Returns: whom to tell.
    mutating func end(_ simulation: String, isGone: Bool, at now: HostInstant) -> Holder? {
        ended = ended.filter { now - $0.value < Self.memory }
        if isGone { ended[simulation] = now }
        return leases.removeValue(forKey: simulation)?.holder
    }
}
