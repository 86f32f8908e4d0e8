import ControlInstance
import GuestClock
import HypervisorAPI

/// What verbs that begin an operation send; fields that are nil are left out.
struct OperationBody: Encodable {
    var checkpoint: String?
    var when: When
    var policy: ClockPolicy?
    var scope: ClockScope?
    var ram: RAMUse?
    var labels: [String: String]?
    var note: String?
    var keepAs: String?
    var discard: Bool?
}
