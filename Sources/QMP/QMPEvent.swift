public import JSON
public import Time

/// Something that QEMU told unasked.
public struct QMPEvent: Hashable, Sendable {
    public var name: String
    /// An object; null for events without data.
    public var data: JSONValue
    /// QEMU's own reading of its host's CLOCK_REALTIME when it emitted the event, microseconds fine; nil when it could not
    /// read the clock (it sends -1 then).
    public var timestamp: HostInstant?

    public init(name: String, data: JSONValue = .null, timestamp: HostInstant?) {
        self.name = name
        self.data = data
        self.timestamp = timestamp
    }

    /// Nil when it is not shaped as an event.
    init?(_ message: JSONValue) {
        guard let name = message["event"]?.stringValue,
            let seconds = message["timestamp"]?["seconds"]?.int64Value,
            let microseconds = message["timestamp"]?["microseconds"]?.int64Value
        else { return nil }
        self.name = name
        data = message["data"] ?? .null
        timestamp = Self.instant(seconds: seconds, microseconds: microseconds)
    }

    private static func instant(seconds: Int64, microseconds: Int64) -> HostInstant? {
        guard seconds >= 0, (0..<1_000_000).contains(microseconds) else { return nil }
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        return HostInstant(nanosecondsSinceEpoch: nanoseconds) + Span(nanoseconds: microseconds * 1_000)
    }

    /// What an operation waits for: it must arrive, however many others pour in.
    var mustArrive: Bool {
        switch name {
        case "STOP", "RESUME", "MIGRATION", "SHUTDOWN": true
        default: false
        }
    }
}
