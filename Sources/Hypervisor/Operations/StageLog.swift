import HostClock
import HypervisorAPI
import Synchronization
import Time

/// The stages of one operation as they end: kept for the report, handed to those who follow.
final class StageLog: Sendable {
    private struct State {
        var stages: [Stage] = []
        var followers: [AsyncStream<Stage>.Continuation] = []
        var finished = false
    }

    private let state = Mutex(State())
    private let clock: any RealtimeClock

    init(clock: any RealtimeClock) {
        self.clock = clock
    }

    func measure<Result, Failure: Error>(
        _ name: String,
        of machine: String? = nil,
        bytes: UInt64? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let start = clock.now()
        let result = try await body()
        add(Stage(machine: machine, name: name, startedAt: start, duration: clock.now() - start, bytes: bytes))
        return result
    }

    func add(_ stage: Stage) {
        state.withLock { state in
            state.stages.append(stage)
            for follower in state.followers { follower.yield(stage) }
        }
    }

    func stages(of machine: String) -> [Stage] {
        state.withLock { $0.stages.filter { $0.machine == machine } }
    }

    /// From the first stage on, whenever the follower comes.
    func follow() -> AsyncStream<Stage> {
        AsyncStream { continuation in
            state.withLock { state in
                for stage in state.stages { continuation.yield(stage) }
                if state.finished { continuation.finish() } else { state.followers.append(continuation) }
            }
        }
    }

    func finish() {
        state.withLock { state in
            state.finished = true
            for follower in state.followers { follower.finish() }
            state.followers = []
        }
    }
}
