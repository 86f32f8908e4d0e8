/// What the process ends with; the meanings are part of the outside contract.
enum ExitStatus: Int32 {
    case done = 0
    /// Failed, everything as before.
    case failed = 1
    case usage = 2
    /// Refused in prepare, nothing happened.
    case refused = 3
    /// The instant was missed, rolled back.
    case missed = 4
    /// Outcome unknown, an operator is needed.
    case unknown = 5
    /// A checkpoint is corrupt or incompatible.
    case corrupt = 6
    /// The hosts' clocks are not synchronised well enough.
    case unsynchronised = 7
    case cancelled = 130
}
