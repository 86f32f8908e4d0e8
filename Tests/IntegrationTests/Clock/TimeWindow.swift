import Time

/// From when to when a time may lie, both included, nanoseconds since the epoch.
struct TimeWindow: Hashable, Sendable, CustomStringConvertible {
    var from: Int64
    var to: Int64

    init(_ from: Int64, _ to: Int64) {
        self.from = from
        self.to = to
    }

    /// What a clock may keep that shows `ns` in steps of `resolution`.
    init(shown ns: Int64, resolution: Int64) { self.init(ns, ns + resolution - 1) }

    func later(by from: Span, to: Span) -> TimeWindow {
        TimeWindow(self.from + from.nanoseconds, self.to + to.nanoseconds)
    }

    /// Whether a clock whose time lies here may show `ns` in steps of `resolution`.
    func mayShow(_ ns: Int64, resolution: Int64) -> Bool { ns > from - resolution && ns <= to }

    var description: String { "\(from)…\(to)" }
}

extension ClockBoard {
    /// Whether a guest that reads `shown` reads a clock of that time.
    func shows(_ shown: Int64, for time: Int64) -> Bool {
        switch resolution {
        case 1: shown == time
        case 1_000_000_000: shown == time / resolution * resolution
        // No whole number of nanoseconds.
        default: abs(shown - time) <= resolution
        }
    }
}
