import HypervisorAPI
import Synchronization

/// An operation that is under way: who watches it, and whether it was called off.
final class LiveOperation: Sendable {
    let id: OperationID
    let callOff = CallOff()
    private let simulation: String
    private let changes: Changes
    private let state = Mutex(State())

    private struct State {
        /// Kept so that a follower who comes late sees it all.
        var events: [OperationEvent] = []
        /// Those of `events`, of which a fleet has tens of thousands.
        var stages: Set<OperationReport.Stage> = []
        var ended = false
        var followers: [Int: AsyncStream<OperationEvent>.Continuation] = [:]
        var nextFollower = 0
    }

    init(id: OperationID, simulation: String, changes: Changes) {
        self.id = id
        self.simulation = simulation
        self.changes = changes
    }

    /// A result ends all streams; what comes after it is dropped.
    func publish(_ event: OperationEvent) {
        let told = state.withLock { state -> ([AsyncStream<OperationEvent>.Continuation], Bool)? in
            guard !state.ended else { return nil }
            // Hypervisors may tell a stage twice when they are asked twice.
            if case .stage(let stage) = event, !state.stages.insert(stage).inserted { return nil }
            state.events.append(event)
            if case .result = event { state.ended = true }
            return (Array(state.followers.values), state.ended)
        }
        guard let (followers, ends) = told else { return }
        changes.tell(.operation(id, simulation: simulation, event.step))
        for follower in followers {
            follower.yield(event)
            if ends { follower.finish() }
        }
    }

    /// Stages of whole hosts so far.
    var hostStages: [OperationReport.Stage] {
        state.withLock { state in
            state.events.compactMap { event in
                if case .stage(let stage) = event, stage.machine == nil { stage } else { nil }
            }
        }
    }

    /// Everything from the beginning, the result last.
    func follow() -> AsyncStream<OperationEvent> {
        let (stream, continuation) = AsyncStream<OperationEvent>.makeStream()
        let number = state.withLock { state -> Int? in
            for event in state.events { continuation.yield(event) }
            guard !state.ended else { return nil }
            state.nextFollower += 1
            state.followers[state.nextFollower] = continuation
            return state.nextFollower
        }
        if let number {
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.followers.removeValue(forKey: number) }
            }
        } else {
            continuation.finish()
        }
        return stream
    }
}
