public import Time

/// What a simulation's control instance does by itself, once, when a condition is met.
public struct TriggerSpec: Hashable, Sendable {
    public enum Condition: Hashable, Sendable {
        /// A machine says a line in which the regular expression is found. Port nil: its first one that is no link.
        case serial(machine: String, port: Int?, pattern: String)
        case event(machine: String, GuestEvent)
        /// Its machines have run for so long since it was started; what they stood still for does not count.
        case guest(Span)
    }

    public enum Action: Hashable, Sendable {
        /// nil: the next free of `s1`, `s2`…
        case checkpoint(String?)
        case suspend(String?)
        /// The program first; not through a shell.
        case hook([String], timeout: Span)
    }

    public var condition: Condition
    public var action: Action

    public init(_ condition: Condition, _ action: Action) {
        self.condition = condition
        self.action = action
    }

    /// The one that is looked at; nil: none in particular.
    public var machine: String? {
        switch condition {
        case .serial(let machine, _, _), .event(let machine, _): machine
        case .guest: nil
        }
    }

    /// Whether the simulation is saved.
    public var saves: Bool {
        if case .hook = action { false } else { true }
    }
}

extension TriggerSpec {
    /// `server says /login:/`.
    public var when: String {
        switch condition {
        case .serial(let machine, nil, let pattern): "\(machine) says /\(pattern)/"
        case .serial(let machine, let port?, let pattern): "\(machine)'s port \(port) says /\(pattern)/"
        case .event(let machine, .panic): "\(machine) panics"
        case .event(let machine, .watchdog): "the watchdog of \(machine) expires"
        case .event(let machine, .shutdown): "\(machine) shuts down"
        case .event(let machine, .reset): "\(machine) resets"
        case .guest(let span): "\(span) have passed in the guests"
        }
    }

    /// `checkpoint booted`.
    public var what: String {
        switch action {
        case .checkpoint(let name): name.map { "checkpoint \($0)" } ?? "checkpoint"
        case .suspend(let name): name.map { "suspend to \($0)" } ?? "suspend"
        case .hook(let command, _): "run \(command.first ?? "nothing")"
        }
    }
}

extension TriggerSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case machine, port, serial, event, action, checkpoint, command
        case guest = "guestNs"
        case timeout = "timeoutNs"
    }

    private enum Verb: String, Codable { case checkpoint, suspend, hook }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let pattern = try container.decodeIfPresent(String.self, forKey: .serial) {
            condition = .serial(
                machine: try container.decode(String.self, forKey: .machine),
                port: try container.decodeIfPresent(Int.self, forKey: .port),
                pattern: pattern
            )
        } else if let event = try container.decodeIfPresent(GuestEvent.self, forKey: .event) {
            condition = .event(machine: try container.decode(String.self, forKey: .machine), event)
        } else {
            condition = .guest(try container.decode(Span.self, forKey: .guest))
        }
        let name = try container.decodeIfPresent(String.self, forKey: .checkpoint)
        switch try container.decode(Verb.self, forKey: .action) {
        case .checkpoint: action = .checkpoint(name)
        case .suspend: action = .suspend(name)
        case .hook:
            action = .hook(
                try container.decode([String].self, forKey: .command),
                timeout: try container.decode(Span.self, forKey: .timeout)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(machine, forKey: .machine)
        switch condition {
        case .serial(_, let port, let pattern):
            try container.encodeIfPresent(port, forKey: .port)
            try container.encode(pattern, forKey: .serial)
        case .event(_, let event): try container.encode(event, forKey: .event)
        case .guest(let span): try container.encode(span, forKey: .guest)
        }
        switch action {
        case .checkpoint(let name):
            try container.encode(Verb.checkpoint, forKey: .action)
            try container.encodeIfPresent(name, forKey: .checkpoint)
        case .suspend(let name):
            try container.encode(Verb.suspend, forKey: .action)
            try container.encodeIfPresent(name, forKey: .checkpoint)
        case .hook(let command, let timeout):
            try container.encode(Verb.hook, forKey: .action)
            try container.encode(command, forKey: .command)
            try container.encode(timeout, forKey: .timeout)
        }
    }
}
