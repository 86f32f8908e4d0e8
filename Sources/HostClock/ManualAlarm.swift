import CShims
import Glibc
import Synchronization
import Time

/// An alarm on a ``ManualClock``: the same promises as ``TimerAlarm``, without a real second passing.
final class ManualAlarm: Alarm {
    private let clock: ManualClock
    private let instant: HostInstant
    private let moved: Int32
    private let seenSteps: Atomic<Int>

    init(clock: ManualClock, at instant: HostInstant) throws(DeadlineError) {
        self.clock = clock
        self.instant = instant
        seenSteps = Atomic(clock.steps)
        moved = fermata_event_open()
        if moved < 0 { throw .system(step: "opening an event descriptor", errno: -moved) }
        clock.add(sleeper: moved)
    }

    deinit {
        guard moved >= 0 else { return }
        clock.remove(sleeper: moved)
        close(moved)
    }

    let approach = Span.zero

    func now() -> HostInstant { clock.now() }

    func sleep(orUntilRaised event: Int32) -> AlarmEnd {
        while true {
            if clockWasSet() { return .clockWasSet }
            if clock.now() >= instant { return .due }
            if awaitMove(orUntilRaised: event) { return .raised }
        }
    }

    func hold(until instant: HostInstant) -> Bool {
        while clock.now() < instant {
            if seenSteps.load(ordering: .relaxed) != clock.steps { return false }
            _ = awaitMove(orUntilRaised: -1)
        }
        return true
    }

    func clockWasSet() -> Bool {
        let steps = clock.steps
        return seenSteps.exchange(steps, ordering: .relaxed) != steps
    }

    func fire(_ shots: UnsafeMutableBufferPointer<fermata_shot>) {
        for index in shots.indices {
            let due = HostInstant(nanosecondsSinceEpoch: shots[index].due_ns)
            _ = hold(until: due)
            shots[index].written_at_ns = clock.now().nanosecondsSinceEpoch
            let written = send(
                shots[index].descriptor,
                shots[index].bytes,
                shots[index].length,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            shots[index].written = written < 0 ? -Int64(errno) : Int64(written)
        }
    }

    /// Blocks until somebody moves the clock; true when `event` came instead. A descriptor of -1 is never ready.
    private func awaitMove(orUntilRaised event: Int32) -> Bool {
        var descriptors = (
            pollfd(fd: moved, events: Int16(POLLIN), revents: 0), pollfd(fd: event, events: Int16(POLLIN), revents: 0)
        )
        withUnsafeMutableBytes(of: &descriptors) { bytes in
            _ = poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, -1)
        }
        if descriptors.0.revents != 0 { fermata_event_clear(moved) }
        guard descriptors.1.revents != 0 else { return false }
        fermata_event_clear(event)
        return true
    }
}
