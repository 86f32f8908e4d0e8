import FoundationEssentials
import Time

extension HostInstant {
    /// In whole seconds. A certificate may name years that nanoseconds in 64 bits do not reach: those stick at the end.
    init(_ date: Date) {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let limit = Double(Int64.max / 1_000_000_000)
        let whole = Int64(max(-limit, min(limit, seconds)))
        self.init(nanosecondsSinceEpoch: whole * 1_000_000_000)
    }

    /// Rounded down to the second, which is all that certificates and lists can say.
    var toSecond: HostInstant { HostInstant(Date(self)) }
}

extension Date {
    /// Rounded down to the second.
    init(_ instant: HostInstant) { self.init(timeIntervalSince1970: Double(instant.wholeSeconds)) }
}
