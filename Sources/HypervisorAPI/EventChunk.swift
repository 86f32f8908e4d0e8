public import Time

/// What befell a machine, behind what was read before.
public struct EventChunk: Codable, Hashable, Sendable {
    public struct Entry: Codable, Hashable, Sendable {
        public var event: GuestEvent
        /// QEMU's own stamp; of what a machine was found to stand still for, when that was.
        public var at: HostInstant

        private enum CodingKeys: String, CodingKey {
            case event
            case at = "atNs"
        }

        public init(_ event: GuestEvent, at: HostInstant) {
            self.event = event
            self.at = at
        }
    }

    /// That are kept of one process. Where there were more, each kind is there still, with its last ones.
    public static let mostEvents = 256
    /// For something to befall it, before a chunk without events is given. Less than an agent that ends waits for what it is asked.
    public static let patience = Span.seconds(4)

    /// Where this ends.
    public var end: EventMark
    /// In their order.
    public var events: [Entry]
    /// Whether a process of the machine lives, or what it said last may not be here yet.
    public var runs: Bool
    /// Where, in the logs of its serial ports that are no links, the machine's present process began; by port.
    public var serialBegins: [Int: UInt64]

    public init(end: EventMark, events: [Entry], runs: Bool, serialBegins: [Int: UInt64]) {
        self.end = end
        self.events = events
        self.runs = runs
        self.serialBegins = serialBegins
    }

    /// Whether it can be what it says, which somebody else may have made up.
    public var isSound: Bool {
        events.count <= Self.mostEvents && serialBegins.keys.allSatisfy { (0...255).contains($0) }
    }
}
