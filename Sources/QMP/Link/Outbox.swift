import Glibc

/// What waits to leave through one socket, in order. A value: the sending itself is the caller's.
struct Outbox {
    struct Message {
        let id: Int64
        let bytes: [UInt8]
        var sent = 0
        var descriptors: [OwnedDescriptor] = []
    }

    enum Entry {
        case message(Message)
        /// The lead of a prepared command; when it has left, the socket belongs to that command.
        case hold(Message, retraction: [UInt8])
    }

    enum Outcome: Equatable {
        /// Nothing is left that may leave now.
        case rested
        /// The socket takes no more for the moment.
        case full
        /// A lead has left, and its command has the socket from now on.
        case held(id: Int64)
        case failed(errno: Int32)
    }

    enum Removal: Equatable {
        case notSent
        case sent
    }

    private var entries: [Entry] = []
    private var head = 0
    /// The prepared command that has the socket to itself.
    private(set) var holder: Int64?
    /// What ends the holder's command without it being obeyed.
    private var retraction: [UInt8] = []
    /// QEMU keeps the descriptors of one message only, until the command takes them: those of a second one that arrives
    /// meanwhile would replace them. So the next such message waits for the answer to the last.
    private var descriptorsInFlight: Int64?

    var isEmpty: Bool { head == entries.count }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
    }

    /// What a short write of the holder left over leaves first.
    mutating func putFirst(_ message: Message) {
        if head > 0 {
            head -= 1
            entries[head] = .message(message)
        } else {
            entries.insert(.message(message), at: 0)
        }
    }

    /// The prepared command left: the socket is everybody's again.
    mutating func release(_ id: Int64) {
        if holder == id { holder = nil }
    }

    mutating func answered(_ id: Int64) {
        if descriptorsInFlight == id { descriptorsInFlight = nil }
    }

    /// Takes a command out that has not begun to leave, or retracts a prepared one whose lead has.
    mutating func remove(_ id: Int64) -> Removal {
        if holder == id {
            holder = nil
            putFirst(Message(id: id, bytes: retraction))
            return .sent
        }
        for index in head..<entries.count {
            switch entries[index] {
            case .message(let message), .hold(let message, _):
                guard message.id == id else { continue }
                if message.sent == 0 {
                    entries.remove(at: index)
                    return .notSent
                }
                if case .hold(let message, let retraction) = entries[index] {
                    entries[index] = .message(Message(id: id, bytes: message.bytes + retraction, sent: message.sent))
                }
                return .sent
            }
        }
        return .sent
    }

    /// Sends until nothing may leave any more. `send` returns how many bytes the kernel took, or -errno.
    mutating func flush(_ send: (UnsafeRawBufferPointer, [Int32]) -> Int) -> Outcome {
        while holder == nil, head < entries.count {
            switch entries[head] {
            case .message(var message):
                if !message.descriptors.isEmpty, descriptorsInFlight != nil { return .rested }
                if let outcome = Self.push(&message, send) {
                    note(&message)
                    entries[head] = .message(message)
                    return outcome
                }
                note(&message)
                dropFirst()
            case .hold(var lead, let retraction):
                if let outcome = Self.push(&lead, send) {
                    entries[head] = .hold(lead, retraction: retraction)
                    return outcome
                }
                dropFirst()
                (holder, self.retraction) = (lead.id, retraction)
                return .held(id: lead.id)
            }
        }
        return .rested
    }

    /// Sends all of it; else why not.
    private static func push(
        _ message: inout Message,
        _ send: (UnsafeRawBufferPointer, [Int32]) -> Int
    ) -> Outcome? {
        while message.sent < message.bytes.count {
            // They travel with the first byte.
            let numbers = message.sent == 0 ? message.descriptors.map(\.number) : []
            let taken = message.bytes.withUnsafeBytes { bytes in
                send(UnsafeRawBufferPointer(rebasing: bytes[message.sent...]), numbers)
            }
            if taken == -Int(EAGAIN) { return .full }
            guard taken >= 0 else { return .failed(errno: Int32(-taken)) }
            message.sent += taken
        }
        return nil
    }

    /// Descriptors that have left are closed here.
    private mutating func note(_ message: inout Message) {
        guard message.sent > 0, !message.descriptors.isEmpty else { return }
        descriptorsInFlight = message.id
        message.descriptors = []
    }

    private mutating func dropFirst() {
        head += 1
        if head == entries.count || head >= 256 {
            entries.removeFirst(head)
            head = 0
        }
    }
}
