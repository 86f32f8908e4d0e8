import HypervisorAPI
import JSON
import QMP

extension GuestEvent {
    /// What QEMU tells unasked; nil: something else, or nothing that the guest has done.
    init?(_ event: QMPEvent) {
        let isGuest = event.data["guest"]?.boolValue == true
        switch event.name {
        case "GUEST_PANICKED": self = .panic
        case "WATCHDOG": self = .watchdog
        // After a panic QEMU ends as if the guest had switched it off.
        case "SHUTDOWN" where isGuest && event.data["reason"]?.stringValue != "guest-panic": self = .shutdown
        case "RESET" where isGuest: self = .reset
        default: return nil
        }
    }

    /// What a machine stands still for.
    init?(_ state: RunState) {
        switch state {
        case .guestPanicked: self = .panic
        case .watchdog: self = .watchdog
        case .shutdown: self = .shutdown
        default: return nil
        }
    }
}
