import GuestClock
import HypervisorAPI
import Time

enum RTCKeys {
    static let base = Key(
        "base",
        ValueType<HostInstant>.instant,
        "what the clock reads at the start; the host's time if left out"
    )
    static let clock = Key(
        "clock",
        ValueType<RTCClockSource>.word,
        standard: "vm",
        "what it follows; `vm` stands still while the machine is paused, the others go on"
    )

    static let type = ValueType<RTCSpec>.object(
        "rtc",
        label: "a mapping with base and clock",
        keys: [base.description, clock.description]
    ) { object in
        RTCSpec(base: object(base), clock: object(clock) ?? .vm)
    }
}
