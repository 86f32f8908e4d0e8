import GuestClock
import Time

enum PolicyText {
    /// What a clock policy means for the guests.
    static func words(_ policy: ClockPolicy) -> String {
        switch policy {
        case .continue: "continue (guests go on with the time they had)"
        case .host: "host (guests get the host's time)"
        case .offset(let span):
            "\(span.nanoseconds < 0 ? "" : "+")\(span) (\(span.nanoseconds < 0 ? "back from" : "on from") the time they had)"
        case .at(let instant): "at=\(instant)"
        }
    }
}
