/// Unread events of one subscriber. Nothing here takes longer the more there are: a flood must not stall the connection.
struct EventBuffer {
    /// Far more than any honest peer leaves unread of the events that must arrive.
    static let mostUnread = 65_536

    /// First in, first out, each with its place among all.
    private struct Queue {
        private var entries: [(place: UInt64, event: QMPEvent)] = []
        /// What is before it has left.
        private var head = 0

        var count: Int { entries.count - head }
        var firstPlace: UInt64? { head < entries.count ? entries[head].place : nil }

        mutating func append(_ event: QMPEvent, at place: UInt64) { entries.append((place, event)) }

        mutating func takeFirst() -> QMPEvent? {
            guard head < entries.count else { return nil }
            let event = entries[head].event
            head += 1
            // Half of it at least is gone: each entry is moved once on average.
            if head * 2 >= entries.count {
                entries.removeFirst(head)
                head = 0
            }
            return event
        }
    }

    private let capacity: Int
    private var essential = Queue()
    private var droppable = Queue()
    private var nextPlace: UInt64 = 0
    private(set) var lost = 0

    init(capacity: Int) {
        self.capacity = min(max(capacity, 1), Self.mostUnread)
    }

    var count: Int { essential.count + droppable.count }

    /// The oldest of all.
    mutating func take() -> QMPEvent? {
        guard let place = essential.firstPlace else { return droppable.takeFirst() }
        guard let other = droppable.firstPlace, other < place else { return essential.takeFirst() }
        return droppable.takeFirst()
    }

    /// False when it is beyond ``mostUnread``: nothing is lost that must arrive, so the peer has to go.
    mutating func store(_ event: QMPEvent) -> Bool {
        if count >= capacity {
            if droppable.takeFirst() != nil {
                lost += 1
            } else if !event.mustArrive {
                lost += 1
                return true
            } else if count >= Self.mostUnread {
                return false
            }
        }
        nextPlace += 1
        if event.mustArrive {
            essential.append(event, at: nextPlace)
        } else {
            droppable.append(event, at: nextPlace)
        }
        return true
    }
}
