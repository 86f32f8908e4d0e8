import CShims
import Glibc
import Synchronization
package import Time

/// A clock that a test moves by hand. ``DeadlineThreads`` keeps deadlines on it too, so that a test can have what the
/// real clock must never be made to do: a step while a volley is armed.
package final class ManualClock: RealtimeClock {
    struct State {
        var now: HostInstant
        /// How often the clock was set, as opposed to having run on.
        var steps = 0
        /// Eventfds of sleeping alarms.
        var sleepers: [Int32] = []
    }

    private let state: Mutex<State>

    package init(at instant: HostInstant) {
        state = Mutex(State(now: instant))
    }

    package func now() -> HostInstant { state.withLock { $0.now } }

    /// Lets time pass.
    package func advance(by span: Span) {
        change { $0.now = $0.now + span }
    }

    /// Sets the clock, as an administrator or a first NTP packet does: everything armed on it is told.
    package func set(to instant: HostInstant) {
        change {
            $0.now = instant
            $0.steps += 1
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            // Under the lock: a sleeper that leaves closes its descriptor, and the number may be given out again.
            for sleeper in state.sleepers { fermata_event_raise(sleeper) }
        }
    }

    var steps: Int { state.withLock { $0.steps } }

    func add(sleeper: Int32) { state.withLock { $0.sleepers.append(sleeper) } }

    func remove(sleeper: Int32) { state.withLock { $0.sleepers.removeAll { $0 == sleeper } } }
}

extension ManualClock: AlarmClock {
    func makeAlarm(at instant: HostInstant) throws(DeadlineError) -> any Alarm {
        try ManualAlarm(clock: self, at: instant)
    }
}
