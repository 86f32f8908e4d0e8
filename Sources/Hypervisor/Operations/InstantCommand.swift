import QMP

/// What machines are told at an instant, and the event by which QEMU says when it happened.
enum InstantCommand: String, Sendable {
    case stop
    case cont

    var command: QMPCommand { QMPCommand(rawValue) }

    var event: String {
        switch self {
        case .stop: "STOP"
        case .cont: "RESUME"
        }
    }
}
