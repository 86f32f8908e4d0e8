import CShims
import Glibc
import Time

/// An alarm on the host's CLOCK_REALTIME: a timerfd that setting the clock cancels, then spinning in C.
final class TimerAlarm: Alarm {
    private let timer: Int32

    init(at instant: HostInstant) throws(DeadlineError) {
        // One timer per volley: a timer that lives longer would also remember steps from before the volley.
        timer = fermata_timer_open(instant.nanosecondsSinceEpoch)
        if timer < 0 { throw .system(step: "opening a timer", errno: -timer) }
    }

    deinit {
        if timer >= 0 { close(timer) }
    }

    /// Asking the timer for steps takes a system call, 5 µs when nothing of it is in the caches.
    let approach = Span.microseconds(50)

    func now() -> HostInstant { .now }

    func sleep(orUntilRaised event: Int32) -> AlarmEnd {
        var descriptors = (
            pollfd(fd: timer, events: Int16(POLLIN), revents: 0), pollfd(fd: event, events: Int16(POLLIN), revents: 0)
        )
        while true {
            withUnsafeMutableBytes(of: &descriptors) { bytes in
                _ = poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, -1)
            }
            // After EINTR both are still zero.
            if descriptors.0.revents != 0 { return clockWasSet() ? .clockWasSet : .due }
            if descriptors.1.revents != 0 {
                fermata_event_clear(event)
                return .raised
            }
        }
    }

    func hold(until instant: HostInstant) -> Bool {
        fermata_spin(instant.nanosecondsSinceEpoch) == 0
    }

    func clockWasSet() -> Bool {
        fermata_timer_clock_was_set(timer) != 0
    }

    func fire(_ shots: UnsafeMutableBufferPointer<fermata_shot>) {
        fermata_fire(shots.baseAddress, shots.count)
    }
}

extension SystemClock: AlarmClock {
    func makeAlarm(at instant: HostInstant) throws(DeadlineError) -> any Alarm {
        try TimerAlarm(at: instant)
    }
}
