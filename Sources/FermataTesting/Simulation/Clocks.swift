public import FoundationEssentials

/// What a machine's clocks read.
public struct Clocks: Hashable, Sendable {
    /// One clock device.
    public struct Reading: Decodable, Hashable, Sendable {
        /// Such as `mc146818rtc`.
        public let device: String
        /// `rtc`, `paravirtual`, `virtual`, `counter` or `tod`.
        public let kind: String
        /// Nanoseconds since 1970 or since the machine was switched on, as ``epoch`` says; nil: it cannot be told.
        public let readsNs: Int64?
        /// `unix` or `boot`.
        public let epoch: String
    }

    /// Of the real-time clock device, in nanoseconds since 1970; nil: it has none that is known.
    public let rtcNs: Int64?
    /// Nanoseconds since the machine was switched on, without the times that it stood still; nil: it cannot be told.
    public let virtualNs: Int64?
    /// All of them.
    public let readings: [Reading]

    /// The real-time clock, to some hundred nanoseconds.
    public var rtc: Date? { rtcNs.map(TimeText.date) }

    /// Since the machine was switched on, without the times that it stood still.
    public var virtual: Duration? { virtualNs.map { .nanoseconds($0) } }
}

extension Clocks: Decodable {}
