public import Time

/// Why a volley could not be armed. Nothing was sent and nothing is held.
public enum DeadlineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first shot was due this long ago.
    case tooLate(by: Span)
    /// The lead of the shot at this index is not within 0 to ``Shot/longestLead``.
    case leadOutOfRange(shot: Int, lead: Span)
    /// The shot at this index names a descriptor that is not open.
    case badDescriptor(shot: Int, descriptor: Int32)
    /// The system did not give what the wait needs.
    case system(step: String, errno: Int32)

    public var description: String {
        switch self {
        case .tooLate(let lateness):
            "the instant is too near: its first command was due \(lateness) ago; choose a later instant"
        case .leadOutOfRange(let shot, let lead):
            "the lead \(lead) of shot \(shot) is outside 0 to \(Shot.longestLead)"
        case .badDescriptor(let shot, let descriptor):
            "shot \(shot) goes to descriptor \(descriptor), which is not open"
        case .system(let step, let code):
            "the deadline cannot be armed: \(step) failed: \(errorText(code))"
        }
    }
}
