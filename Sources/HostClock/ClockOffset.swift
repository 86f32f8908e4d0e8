public import Time

/// One question to another host about its time, as four readings: ours around two of its own.
public struct ClockExchange: Codable, Hashable, Sendable {
    public var sent: HostInstant
    /// By the other host's clock.
    public var arrived: HostInstant
    /// By the other host's clock.
    public var answered: HostInstant
    public var received: HostInstant

    public init(sent: HostInstant, arrived: HostInstant, answered: HostInstant, received: HostInstant) {
        self.sent = sent
        self.arrived = arrived
        self.answered = answered
        self.received = received
    }
}

/// How far another host's clock is ahead of ours, and how far that may be wrong.
public struct ClockOffset: Codable, Hashable, Sendable {
    /// Theirs − ours.
    public var offset: Span
    /// The true offset is within this of ``offset``, whatever way each message took.
    public var bound: Span

    public init(offset: Span, bound: Span) {
        self.offset = offset
        self.bound = bound
    }

    /// How fast two clocks may drift apart: twice what the kernel lets its discipline slew (`MAXFREQ`, 500 ppm).
    private static let drift = (parts: Int64(1), of: Int64(1_000))

    /// No message arrives before it was sent, so each exchange leaves an interval for the offset; it lies in all of them.
    /// - Returns: nil for no exchange, for impossible ones (an answer before its question), and when the intervals do not
    ///   overlap: then a clock was set between them.
    public init?(_ exchanges: [ClockExchange]) {
        guard let first = exchanges.first, let last = exchanges.last else { return nil }
        let drifted = Self.drifted(last.received - first.sent)
        var least = Span(nanoseconds: .min)
        var most = Span(nanoseconds: .max)
        for exchange in exchanges {
            guard exchange.received >= exchange.sent, exchange.answered >= exchange.arrived else { return nil }
            least = max(least, exchange.answered - exchange.received)
            most = min(most, exchange.arrived - exchange.sent)
        }
        guard most + drifted >= least - drifted else { return nil }
        (least, most) = (min(least, most) - drifted, max(least, most) + drifted)
        let width = most.nanoseconds.subtractingReportingOverflow(least.nanoseconds)
        guard !width.overflow else { return nil }
        offset = Span(nanoseconds: least.nanoseconds + width.partialValue / 2)
        bound = Span(nanoseconds: width.partialValue / 2 + 1)
    }

    /// While nobody sets or slews them: cheap quartz is off by up to 100 ppm, and each may be off in its own direction.
    public static func wandered(_ time: Span) -> Span { Span(nanoseconds: max(0, time.nanoseconds) / 10_000 * 2) }

    private static func drifted(_ time: Span) -> Span {
        Span(nanoseconds: max(0, time.nanoseconds) / drift.of * drift.parts)
    }
}
