import HypervisorAPI
import Time

/// A trigger whose machine is not yet looked up.
struct TriggerDraft {
    var spec: TriggerSpec
    /// Of the machine's name.
    var machine: Place
    /// Of the port's number.
    var port: Place
}

/// What is done by itself: a condition and one verb, both in the words of a batch's steps.
enum TriggerKeys {
    static let machine = Key(
        "machine",
        ValueType<String>.name(of: "machine"),
        "the machine that `serial` or `event` is about"
    )
    static let port = Key(
        "port",
        ValueType<Int>.integer(0...255),
        "the number of its serial port; the first that is no link if left out"
    )
    static let serial = Key(
        "serial",
        ValueType<String>.pattern,
        "when a regular expression is found in a line that its console says"
    )
    static let event = Key(
        "event",
        ValueType<GuestEvent>.word,
        "when that befalls it"
    )
    static let guest = Key(
        "guest",
        ValueType<Span>.duration,
        "when the machines have run for so long since they were started; what they stood still for does not count"
    )
    static let checkpoint = Key(
        "checkpoint",
        saved { .checkpoint($0) },
        "saves the simulation under that name while it runs on"
    )
    static let suspend = Key("suspend", saved { .suspend($0) }, "stops it at one instant and saves it under that name")
    static let hook = Key(
        "hook",
        HookKeys.hook(.trigger).map { hook, _, _ in TriggerSpec.Action.hook(hook.command, timeout: hook.timeout) },
        "runs a command on the control instance's host"
    )

    private static func saved(
        _ action: @escaping @Sendable (String?) -> TriggerSpec.Action
    ) -> ValueType<TriggerSpec.Action> {
        .orNothing(ValueType<String>.name(of: "checkpoint").map { name, _, _ in action(name) }, standard: action(nil))
    }

    static let type = ValueType<TriggerDraft>.object(
        "a trigger",
        label: "a trigger's mapping",
        keys: [
            machine.description, port.description, serial.description, event.description, guest.description,
            checkpoint.description, suspend.description, hook.description,
        ]
    ) { object in
        let condition = condition(object)
        let action = action(object)
        guard let condition, let action else { return nil }
        let spec = TriggerSpec(condition, action)
        if case .event(_, .shutdown) = condition, spec.saves {
            object.reading.report(
                "a machine that has shut down cannot be saved: only 'hook' can follow 'event: shutdown'",
                at: object.place(of: event)
            )
        }
        return TriggerDraft(spec: spec, machine: object.place(of: machine), port: object.place(of: port))
    }

    private static func condition(_ object: ObjectReader) -> TriggerSpec.Condition? {
        let name = object(machine)
        let number = object(port)
        let pattern = object(serial)
        let event = object(event)
        let span = object(guest)
        let there = [
            object.has(serial) ? serial.name : nil, object.has(Self.event) ? Self.event.name : nil,
            object.has(guest) ? guest.name : nil,
        ].compactMap { $0 }
        guard there.count == 1 else {
            object.reading.report(
                "a trigger has one of 'serial', 'event' and 'guest'; this has \(listed(there))",
                at: object.place
            )
            return nil
        }
        if object.has(port), !object.has(serial) {
            object.reading.report("'port' belongs to 'serial'", at: object.place(of: port))
        }
        if object.has(guest) {
            if object.has(machine) {
                object.reading.report(
                    "'guest' is about all machines, which run together: leave 'machine' out",
                    at: object.place(of: machine)
                )
            }
            return span.map { .guest($0) }
        }
        guard object.has(machine) else {
            object.reading.report(
                "the key 'machine' is missing: \(machine.doc)",
                at: object.place
            )
            return nil
        }
        guard let name else { return nil }
        return pattern.map { .serial(machine: name, port: number, pattern: $0) }
            ?? event.map { .event(machine: name, $0) }
    }

    private static func action(_ object: ObjectReader) -> TriggerSpec.Action? {
        let verbs = [checkpoint, suspend, hook]
        let there = verbs.filter { object.has($0) }
        // Of a verb that is there all that is wrong is told, also beside another one.
        let actions = there.map { object($0) }
        guard there.count == 1 else {
            object.reading.report(
                "a trigger does one of 'checkpoint', 'suspend' and 'hook'; this has \(listed(there.map(\.name)))",
                at: object.place
            )
            return nil
        }
        return actions[0]
    }

    private static func listed(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map { "'\($0)'" }.joined(separator: " and ")
    }
}
