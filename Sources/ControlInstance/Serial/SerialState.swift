public import HypervisorAPI

/// How it is with a serial port that is followed.
public struct SerialState: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        /// What the machine says is told.
        case connected
        /// The machine does not run; what it says is told again when it does.
        case stopped
        /// Its host cannot be asked, and is asked again and again.
        case lost
        /// There is no such simulation any more, and nothing follows.
        case ended
    }

    public var state: State
    /// For people.
    public var message: String
    /// Why it is lost.
    public var reasons: [Reason]

    public init(state: State, message: String, reasons: [Reason] = []) {
        self.state = state
        self.message = message
        self.reasons = reasons
    }
}
