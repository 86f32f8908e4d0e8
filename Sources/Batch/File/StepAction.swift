package import GuestClock
package import Time

package enum StepAction: Hashable, Sendable {
    case up(Source, ClockChange)
    /// Until a line has come that the pattern is found in.
    case waitForSerial(Port, String)
    /// Until so much time has passed in the machine.
    case waitForGuest(Port, Span)
    /// nil: the next free of `s1`, `s2`…
    case checkpoint(String?)
    case suspend(String?, Instant)
    /// nil: the checkpoint that it is suspended to.
    case resume(String?, ClockChange, Instant)
    case rewind(String, ClockChange, Keeping)
    case execute([String], status: Int)
    case expectClock(Port, ClosedRange<HostInstant>)
    case expectSerial(Port, String, isAbsent: Bool)
    case send(Port, String)
    case down

    package struct ClockChange: Hashable, Sendable {
        /// nil: the one of the lab.
        package var policy: ClockPolicy?
        package var scope: ClockScope?

        package init(policy: ClockPolicy? = nil, scope: ClockScope? = nil) {
            self.policy = policy
            self.scope = scope
        }
    }

    /// When it shall happen.
    package enum Instant: Hashable, Sendable {
        case asap
        case at(HostInstant)
        case `in`(Span)
    }

    /// What becomes of what runs when it is rewound.
    package enum Keeping: Hashable, Sendable {
        case nothing
        /// nil: the next free of `s1`, `s2`…
        case checkpoint(String?)
    }

    /// The machine that it is about.
    package var port: Port? {
        switch self {
        case .waitForSerial(let port, _), .waitForGuest(let port, _), .expectClock(let port, _),
            .expectSerial(let port, _, _), .send(let port, _):
            port
        case .up, .checkpoint, .suspend, .resume, .rewind, .execute, .down: nil
        }
    }
}
