import HypervisorAPI

/// Which files other hosts may read here, each by a ticket, for a while. A value that is told the time.
///
/// In memory: a process that was started anew knows none, and the control instance gives others.
struct ReadGrants {
    private struct Grant {
        var reader: String
        var files: Set<FilePlace>
        var ends: ContinuousClock.Instant
    }

    static let lifetime = Duration.seconds(15 * 60)
    /// A control instance that gives more takes the oldest back.
    static let most = 256

    private var grants: [String: Grant] = [:]

    /// - Parameter ticket: that nobody can guess.
    mutating func add(_ order: GrantOrder, ticket: String, now: ContinuousClock.Instant) {
        grants = grants.filter { $0.value.ends > now }
        if grants.count >= Self.most, let oldest = grants.min(by: { $0.value.ends < $1.value.ends }) {
            grants[oldest.key] = nil
        }
        grants[ticket] = Grant(reader: order.reader, files: Set(order.files), ends: now + Self.lifetime)
    }

    mutating func end(_ ticket: String) { grants[ticket] = nil }

    func areOpen(now: ContinuousClock.Instant) -> Bool { grants.values.contains { $0.ends > now } }

    func hasReader(_ name: String, now: ContinuousClock.Instant) -> Bool {
        grants.values.contains { $0.reader == name && $0.ends > now }
    }

    /// Why somebody may not read a file, for the log; nil: he may.
    /// - Parameter reader: by his certificate.
    func obstacle(
        to reader: String,
        reading file: FilePlace,
        with ticket: String?,
        now: ContinuousClock.Instant
    ) -> String? {
        guard let ticket else { return "it shows no ticket" }
        guard let grant = grants[ticket] else { return "nobody has given out its ticket" }
        guard grant.reader == reader else { return "its ticket is another host's" }
        guard grant.ends > now else { return "its ticket has ended" }
        return grant.files.contains(file) ? nil : "its ticket is for other files"
    }
}
