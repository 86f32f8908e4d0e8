import Manifest
import Time

enum ExpectationKeys {
    static let clock = Key(
        "clock",
        ValueType<HostInstant>.instant,
        "what its real-time clock reads now, `within` so much before or after"
    )
    static let within = Key("within", ValueType<Span>.duration, standard: "1s", "how far from that it may be")
    static let between = Key(
        "between",
        ValueType<[Placed<HostInstant>]>.list(of: ValueType<HostInstant>.instant, atLeast: 2, "a list of two times"),
        "what its real-time clock reads now: not before the first, not after the second"
    )
    static let serial = Key(
        "serial",
        ValueType<String>.pattern,
        "a regular expression that is found in a line that its console has said"
    )
    static let absent = Key("no-serial", ValueType<String>.pattern, "a regular expression that is found in none")

    static let assert = Key(
        "assert",
        ValueType<Step>.object(
            "assert",
            label: "a mapping with machine and what is to be so",
            keys: [
                PortKeys.machine.description, PortKeys.port.description, clock.description, within.description,
                between.description, serial.description, absent.description,
            ]
        ) { object in
            let port = PortKeys.port(object)
            let range = range(object)
            let serial = object(serial)
            let absent = object(absent)
            let kinds = [
                object.has(clock), object.has(between), object.has(Self.serial), object.has(Self.absent),
            ].filter { $0 }.count
            guard kinds == 1 else {
                object.reading.report(
                    "an assert has one of 'clock', 'between', 'serial' and 'no-serial'; this has \(kinds == 0 ? "none" : "\(kinds)")",
                    at: object.place
                )
                return nil
            }
            guard let port else { return nil }
            let action: StepAction? =
                if let range { .expectClock(port, range) } else if let pattern = serial {
                    .expectSerial(port, pattern, isAbsent: false)
                } else if let pattern = absent { .expectSerial(port, pattern, isAbsent: true) } else { nil }
            return action.map { Step(place: object.place, action: $0) }
        },
        "checks something; the combination has failed when it is not so"
    )

    private static func range(_ object: ObjectReader) -> ClosedRange<HostInstant>? {
        let middle = object(clock)
        let slack = object(within) ?? .seconds(1)
        if object.has(within), !object.has(clock) {
            object.reading.report("'within' belongs to 'clock'", at: object.place(of: within))
        }
        if let middle { return middle - slack...middle + slack }
        guard let ends = object(between), ends.count >= 2 else { return nil }
        guard ends.count == 2 else {
            object.reading.report("expected a list of two times, found \(ends.count)", at: object.place(of: between))
            return nil
        }
        guard ends[0].value <= ends[1].value else {
            object.reading.report("the first of the two times is the later one", at: object.place(of: between))
            return nil
        }
        return ends[0].value...ends[1].value
    }
}
