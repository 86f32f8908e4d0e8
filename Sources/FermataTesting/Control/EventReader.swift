/// Server-sent events, taken out of the bytes as those come. A value.
struct EventReader {
    struct Event: Hashable {
        /// The last one that was told; nil: none was.
        var id: String?
        var name = ""
        var data = ""
    }

    /// No event of a serial port is as long.
    static let longestLine = 4 << 20

    private var line: [UInt8] = []
    private var event = Event()

    /// - Returns: the events that end in these bytes; nil: this is no stream of them.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [Event]? {
        var events: [Event] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                guard line.count <= Self.longestLine else { return nil }
                continue
            }
            let text = String(decoding: line, as: UTF8.self)
            line.removeAll(keepingCapacity: true)
            if let ended = take(text) { events.append(ended) }
        }
        return events
    }

    private mutating func take(_ line: String) -> Event? {
        guard !line.isEmpty else {
            defer { event = Event(id: event.id) }
            return event.name.isEmpty && event.data.isEmpty ? nil : event
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = String(parts.count > 1 ? parts[1].drop { $0 == " " } : "")
        switch parts[0] {
        case "id": event.id = value
        case "event": event.name = value
        case "data": event.data = value
        // A comment keeps the connection alive.
        default: break
        }
        return nil
    }
}
