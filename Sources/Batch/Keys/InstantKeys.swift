import Manifest
import Time

/// When an operation shall happen.
enum InstantKeys {
    static let at = Key("at", ValueType<HostInstant>.instant, "the instant, of the host's clock")
    static let delay = Key("in", ValueType<Span>.duration, "the instant, from the step's beginning")

    static func instant(_ object: ObjectReader) -> StepAction.Instant {
        let instant = object(at)
        let span = object(delay)
        if object.has(at), object.has(delay) {
            object.reading.report("either 'at' or 'in', not both", at: object.place(of: delay))
        }
        if let instant { return .at(instant) }
        return span.map { .in($0) } ?? .asap
    }
}
