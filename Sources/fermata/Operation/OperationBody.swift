import ControlInstance
import GuestClock
import HypervisorAPI

/// What `suspend` and `resume` send; fields that are nil are left out.
struct OperationBody: Encodable {
    var checkpoint: String?
    var when: When
    var policy: ClockPolicy?
    var scope: ClockScope?
    var ram: RAMUse?
}
