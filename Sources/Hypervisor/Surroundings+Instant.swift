import HostClock
import HypervisorAPI
import Time

extension Surroundings {
    /// Why an operation that needs `required` from now on cannot be done at the instant; empty when it can.
    func obstacles(to instant: HostInstant?, within required: Span = .zero) -> [Reason] {
        guard let instant else { return [] }
        let now = clock.now()
        guard now < instant else {
            return [Reason(code: "instant-past", message: "\(instant) has passed; it is \(now) now")]
        }
        guard now + required <= instant else {
            return [
                Reason(
                    code: "instant-too-near",
                    message: "\(instant) is too near; \(host) can do it at \(now + required) at the earliest"
                )
            ]
        }
        return []
    }
}
