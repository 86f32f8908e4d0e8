import CShims
import Glibc
import Synchronization
import Time

/// One pthread that sleeps until it is given a volley, keeps that volley's deadline, and reports for the next.
final class DeadlineThread: Sendable {
    private enum Order {
        case keep(ArmedVolley, andReturnTo: IdleThreads)
        case quit
    }

    /// Raised for a new order, and for a volley that was cancelled.
    private let event: Int32
    /// Raised once, when the thread runs. Not `event`: the thread would clear it before the starter has seen it.
    private let started: Int32
    private let order = Mutex<Order?>(nil)
    private let granted = Mutex<RealtimePrivileges?>(nil)

    /// Starts the thread and waits until it knows what the kernel grants it.
    init() throws(DeadlineError) {
        event = fermata_event_open()
        started = fermata_event_open()
        guard event >= 0, started >= 0 else {
            throw .system(step: "opening an event descriptor", errno: -min(event, started))
        }
        try start()
        var ready = pollfd(fd: started, events: Int16(POLLIN), revents: 0)
        while poll(&ready, 1, -1) != 1 {}
    }

    deinit {
        for descriptor in [event, started] where descriptor >= 0 { close(descriptor) }
    }

    var privileges: RealtimePrivileges {
        granted.withLock { $0 }
            ?? RealtimePrivileges(scheduling: .ordinary(errno: 0), memory: .unlocked(errno: 0))
    }

    func keep(_ volley: ArmedVolley, andReturnTo idle: IdleThreads) {
        order.withLock { $0 = .keep(volley, andReturnTo: idle) }
        wake()
    }

    func quit() {
        order.withLock { $0 = .quit }
        wake()
    }

    func wake() { fermata_event_raise(event) }

    private func start() throws(DeadlineError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        // Small, since it is locked in memory; the deepest call is building a report.
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<DeadlineThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            retained.toOpaque()
        )
        if code != 0 {
            retained.release()
            throw .system(step: "starting a thread", errno: code)
        }
    }

    private func run() {
        fermata_thread_prepare("fermata-instant")
        let privileges = RealtimePrivileges.acquireForCallingThread()
        granted.withLock { $0 = privileges }
        rehearse()
        fermata_event_raise(started)
        while true {
            // Not cleared here before looking: an order that comes in between raises again.
            let next = order.withLock { order in
                defer { order = nil }
                return order
            }
            switch next {
            case .keep(let volley, let idle):
                keepDeadline(of: volley)
                idle.give(back: self)
            case .quit:
                return
            case nil:
                var raised = pollfd(fd: event, events: Int16(POLLIN), revents: 0)
                _ = poll(&raised, 1, -1)
                fermata_event_clear(event)
            }
        }
    }

    /// The first call of `send` goes through the dynamic linker, and its pages may not be in memory: not at an instant.
    private func rehearse() {
        var shot = fermata_shot(descriptor: -1, bytes: nil, length: 0, due_ns: 0, written_at_ns: 0, written: 0)
        fermata_fire(&shot, 1)
        _ = fermata_spin(0)
    }

    private func keepDeadline(of volley: ArmedVolley) {
        let alarm = volley.alarm
        let firstDue = volley.memory.firstDue
        sleeping: while true {
            switch alarm.sleep(orUntilRaised: event) {
            case .due:
                break sleeping
            case .raised:
                if !volley.isArmed { return }
            case .clockWasSet:
                volley.withdraw(.clockStepped)
                return
            }
        }
        // Asked after the wait: a clock set forward ends the wait too early, and one set back never ends it.
        guard alarm.hold(until: firstDue - alarm.approach), !alarm.clockWasSet() else {
            volley.withdraw(.clockStepped)
            return
        }
        let lateness = alarm.now() - firstDue
        guard lateness <= volley.tolerance else {
            volley.withdraw(.missed(by: lateness))
            return
        }
        guard volley.beginFiring() else { return }
        alarm.fire(volley.memory.shots)
        volley.finishFiring(clockSteppedWhileFiring: alarm.clockWasSet())
    }
}
