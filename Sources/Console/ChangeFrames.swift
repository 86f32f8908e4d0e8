import ControlInstance
import Synchronization

/// The same change is told to all who listen, of whom there may be a thousand: it is written as JSON once.
final class ChangeFrames: Sendable {
    /// Listeners are that close to each other; one that is further behind costs an encoding.
    private static let kept = 64

    private let frames = Mutex<[(id: String, frame: EventFrame)]>([])

    func frame(of change: Change) throws -> EventFrame {
        // A reset has the id of the change before it.
        if case .reset = change.what { return try .event(id: change.id, name: change.name, change) }
        if let known = frames.withLock({ $0.last { $0.id == change.id } }) { return known.frame }
        let frame = try EventFrame.event(id: change.id, name: change.name, change)
        frames.withLock { frames in
            if frames.count >= Self.kept { frames.removeFirst() }
            frames.append((change.id, frame))
        }
        return frame
    }
}
