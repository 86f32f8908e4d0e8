/// A signed length of time in whole nanoseconds.
///
/// Encodes as one integer. Read from text as the outside contract writes durations: `250us`, `40ms`, `2s`, `5m`, `3h`,
/// several units in falling order (`1h30m`), a fraction (`1.5s`), an optional sign (`+90s`, `-5m`).
public struct Span: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = Span(nanoseconds: 0)

    public static func microseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000) }
    public static func milliseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000) }
    public static func seconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000_000) }

    public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }

    public static func + (left: Span, right: Span) -> Span {
        Span(nanoseconds: left.nanoseconds.addingSaturated(right.nanoseconds))
    }

    public static func - (left: Span, right: Span) -> Span {
        Span(nanoseconds: left.nanoseconds.subtractingSaturated(right.nanoseconds))
    }

    public static prefix func - (span: Span) -> Span { .zero - span }

    public var duration: Duration { .nanoseconds(nanoseconds) }

    /// To be shown or counted, not to be reckoned with: a Double has 53 bits.
    public var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension Span: Codable {
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}
