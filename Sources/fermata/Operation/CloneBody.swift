import ControlInstance
import GuestClock

/// What `clone` sends; fields that are nil are left out.
struct CloneBody: Encodable {
    var name: String
    var count: Int?
    var when: When
    var policy: ClockPolicy?
    var scope: ClockScope?
    var newMACs: Bool?
}
