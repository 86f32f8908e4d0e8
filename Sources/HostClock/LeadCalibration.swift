public import Time

/// How early a command has to leave so that one machine acts on the instant, learned from earlier instants.
///
/// One value per machine and command: `stop` and `cont` take different ways through QEMU.
public struct LeadCalibration: Hashable, Sendable {
    /// Delays from write to QEMU's event stamp, oldest first, at most ``capacity``.
    public private(set) var delays: [Span]

    public init() {
        delays = []
    }

    /// Old ones fall out: a machine's load changes.
    public static let capacity = 15
    /// Below that one odd delay (a busy host, a first touch) would be the median.
    public static let fewest = 3
    /// A machine that needs longer is blocked, not slow: leaving even earlier would stop it far too soon when it is not.
    public static let longest = Span.milliseconds(5)

    /// Takes note of one instant. An event stamped before its command was written is of another clock or another
    /// command, and is left out.
    public mutating func record(sentAt: HostInstant, stampedAt: HostInstant) {
        let delay = stampedAt - sentAt
        guard delay >= .zero else { return }
        delays.append(delay)
        if delays.count > Self.capacity { delays.removeFirst(delays.count - Self.capacity) }
    }

    /// The median delay within 0 to ``longest``; zero until ``fewest`` are known.
    public var lead: Span {
        guard delays.count >= Self.fewest else { return .zero }
        // The lower median of an even count: early is the worse side, since an early stop cannot be waited out.
        let median = delays.sorted()[(delays.count - 1) / 2]
        return min(median, Self.longest)
    }
}

extension LeadCalibration: Codable {
    public init(from decoder: any Decoder) throws {
        let recorded = try decoder.singleValueContainer().decode([Span].self)
        // A state file may have been edited: keep the invariant rather than the bytes.
        delays = Array(recorded.filter { $0 >= .zero }.suffix(Self.capacity))
    }

    /// An array of nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(delays)
    }
}
