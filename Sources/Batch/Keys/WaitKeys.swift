import Manifest
import Time

enum WaitKeys {
    static let serial = Key(
        "serial",
        ValueType<String>.pattern,
        "until a regular expression is found in a line that its console says; one wait goes on behind what the last one found"
    )
    static let guest = Key("guest", ValueType<Span>.duration, "until so much time has passed in the guest")
    static let timeout = Key(
        "timeout",
        ValueType<Span>.duration,
        "how long that may take on the host; then the step has failed"
    )

    static let wait = Key(
        "wait",
        ValueType<Step>.object(
            "wait",
            label: "a mapping with machine, serial or guest",
            keys: [
                PortKeys.machine.description, PortKeys.port.description, serial.description, guest.description,
                timeout.description,
            ]
        ) { object in
            let port = PortKeys.port(object)
            let pattern = object(serial)
            let span = object(guest)
            let timeout = object(timeout)
            guard object.has(serial) != object.has(guest) else {
                object.reading.report("a wait is for either 'serial' or 'guest'", at: object.place)
                return nil
            }
            guard let port else { return nil }
            if let pattern {
                return Step(place: object.place, action: .waitForSerial(port, pattern), timeout: timeout)
            }
            return span.map { Step(place: object.place, action: .waitForGuest(port, $0), timeout: timeout) }
        },
        "waits for what a machine says, or for time to pass in it"
    )
}
