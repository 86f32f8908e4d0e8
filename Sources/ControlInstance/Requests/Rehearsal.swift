/// An operation that is tried out as far as nothing happens.
public enum Rehearsal: Hashable, Sendable {
    case suspend(SaveRequest)
    case checkpoint(SaveRequest)
    case resume(ResumeRequest)
    case rewind(RewindRequest)

    public var simulation: String {
        switch self {
        case .suspend(let request), .checkpoint(let request): request.simulation
        case .resume(let request): request.simulation
        case .rewind(let request): request.resume.simulation
        }
    }
}
