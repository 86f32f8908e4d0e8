import JSON

/// The protocol's side of one connection, without the connection: greeting → negotiating → ready.
struct QMPSession {
    enum Phase: Hashable {
        case greeting
        case negotiating(id: Int64)
        case ready
    }

    /// What a message from QEMU asks the owner of the connection to do.
    enum Action: Hashable {
        /// Send this, then wait.
        case negotiate(QMPCommand, id: Int64)
        case ready
        case reply(id: Int64, command: String, Answer)
        /// An answer that nobody waits for any more.
        case lateReply(id: Int64)
        case event(QMPEvent)
        /// The connection is of no use.
        case fail(QMPError.Code)
    }

    enum Answer: Hashable {
        case value(JSONValue)
        case refusal(class: String, description: String)
    }

    private(set) var phase = Phase.greeting
    private(set) var greeting: QMPGreeting?
    /// Names of the commands under way.
    private(set) var pending: [Int64: String] = [:]
    private var forgotten: Set<Int64> = []

    mutating func register(_ id: Int64, command: String) {
        pending[id] = command
    }

    /// Nobody waits for that answer any more; `wasSent`: it may still come.
    mutating func forget(_ id: Int64, wasSent: Bool) {
        guard pending.removeValue(forKey: id) != nil else { return }
        if wasSent { forgotten.insert(id) }
    }

    mutating func receive(_ message: JSONValue) -> Action {
        switch phase {
        case .greeting:
            guard let greeting = QMPGreeting(message) else { return .fail(.notQMP(received: Self.excerpt(message))) }
            self.greeting = greeting
            phase = .negotiating(id: 0)
            pending[0] = "qmp_capabilities"
            let wanted: JSONValue = greeting.offersOutOfBand ? ["enable": ["oob"]] : .null
            return .negotiate(QMPCommand("qmp_capabilities", arguments: wanted), id: 0)
        case .negotiating, .ready:
            if message["event"] != nil {
                guard let event = QMPEvent(message) else { return violation("an event without name or time", message) }
                return .event(event)
            }
            return receiveAnswer(message)
        }
    }

    private mutating func receiveAnswer(_ message: JSONValue) -> Action {
        let answer: Answer
        if let value = message["return"] {
            answer = .value(value)
        } else if let error = message["error"] {
            let text = error["desc"]?.stringValue ?? "no description"
            answer = .refusal(class: error["class"]?.stringValue ?? "GenericError", description: text)
        } else {
            return violation("neither answer nor event", message)
        }
        guard let id = message["id"]?.int64Value else {
            // QEMU leaves the id out when it could not read what it got.
            return violation("an answer to no command", message)
        }
        if forgotten.remove(id) != nil { return .lateReply(id: id) }
        guard let command = pending.removeValue(forKey: id) else {
            return violation("an answer to a command that was never sent", message)
        }
        guard phase != .ready else { return .reply(id: id, command: command, answer) }
        switch answer {
        case .value:
            phase = .ready
            return .ready
        case .refusal(_, let description):
            return .fail(.protocolViolation("\(command) failed: \(description)"))
        }
    }

    private func violation(_ what: String, _ message: JSONValue) -> Action {
        .fail(.protocolViolation("\(what): \(Self.excerpt(message))"))
    }

    private static func excerpt(_ message: JSONValue) -> String {
        Excerpt.printable(message.description.utf8.prefix(Excerpt.length + 1))
    }
}
