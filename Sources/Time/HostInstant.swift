/// A point on a host's CLOCK_REALTIME, in whole nanoseconds since the Unix epoch (UTC, no leap seconds).
///
/// Encodes as one integer, the form that every `…Ns` field of the outside contract has.
public struct HostInstant: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z; negative before it.
    public var nanosecondsSinceEpoch: Int64

    public init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    public var wholeSeconds: Int64 { nanosecondsSinceEpoch.floorDivided(by: 1_000_000_000) }

    public static func < (left: HostInstant, right: HostInstant) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    public static func + (instant: HostInstant, span: Span) -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: instant.nanosecondsSinceEpoch.addingSaturated(span.nanoseconds))
    }

    public static func - (instant: HostInstant, span: Span) -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: instant.nanosecondsSinceEpoch.subtractingSaturated(span.nanoseconds))
    }

    /// The time from `earlier` to `later`; negative when they are the other way round.
    public static func - (later: HostInstant, earlier: HostInstant) -> Span {
        Span(nanoseconds: later.nanosecondsSinceEpoch.subtractingSaturated(earlier.nanosecondsSinceEpoch))
    }
}

extension HostInstant: Codable {
    public init(from decoder: any Decoder) throws {
        nanosecondsSinceEpoch = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanosecondsSinceEpoch)
    }
}

extension Int64 {
    /// Instants and spans come from manifests and HTTP requests: a sum beyond the range sticks at its end, it does not trap.
    package func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    package func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
