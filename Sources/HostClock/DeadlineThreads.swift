public import Time

/// Keeps deadlines on the host's CLOCK_REALTIME: at the instant, prepared bytes leave on many sockets, microseconds
/// apart.
///
/// Each armed volley has a thread to itself, so that volleys of several simulations, at the same instant too, do not
/// wait for each other. A thread sleeps until shortly before its first shot is due, then spins: waking up alone would
/// cost 50 to 150 µs and now and then milliseconds. A few threads are kept ready, with their privileges and memory; a
/// further one is started when all are taken.
///
/// While a volley is armed, setting the clock (not slewing it) withdraws it: its instant is no longer the agreed one.
public final class DeadlineThreads: Sendable {
    /// What the kernel granted the threads.
    public let privileges: RealtimePrivileges
    private let clock: any AlarmClock
    private let spin: Span
    private let idle: IdleThreads

    /// - Parameters:
    ///   - ready: How many threads wait warmed up; at least one.
    ///   - spin: How long before the first shot the thread wakes up to spin. 2 ms was best on an idle and on a busy
    ///     host: less gets lost in late wake-ups, more only burns the processor.
    /// - Throws: ``DeadlineError`` when no thread or descriptor is to be had.
    public convenience init(ready: Int = 2, spin: Span = .milliseconds(2)) throws(DeadlineError) {
        try self.init(ready: ready, spin: spin, clock: SystemClock())
    }

    /// Deadlines on a clock that a test moves. Nothing spins on it: its time does not pass by itself.
    package convenience init(clock: ManualClock) throws(DeadlineError) {
        try self.init(ready: 1, spin: .zero, clock: clock)
    }

    init(ready: Int, spin: Span, clock: any AlarmClock) throws(DeadlineError) {
        var threads: [DeadlineThread] = []
        do throws(DeadlineError) {
            for _ in 0..<max(1, ready) { threads.append(try DeadlineThread()) }
        } catch {
            for thread in threads { thread.quit() }
            throw error
        }
        privileges = threads[0].privileges
        idle = IdleThreads(threads)
        self.clock = clock
        self.spin = max(.zero, spin)
    }

    deinit {
        idle.close()
    }

    /// Prepares everything and hands the volley to a thread. From here on it fires by itself.
    ///
    /// - Parameters:
    ///   - deadline: The instant. Each shot leaves its lead earlier, never before that.
    ///   - tolerance: When the thread gets to run later than this (a stopped process, a host that slept), nothing is
    ///     sent and the report says `missed`.
    public func arm(
        _ volley: Volley,
        at deadline: HostInstant,
        tolerance: Span = .seconds(1)
    ) throws(DeadlineError) -> ArmedVolley {
        for (index, shot) in volley.shots.enumerated() where shot.lead < .zero || shot.lead > Shot.longestLead {
            throw .leadOutOfRange(shot: index, lead: shot.lead)
        }
        let memory = try VolleyMemory(volley, deadline: deadline)
        let lateness = clock.now() - memory.firstDue
        guard lateness < .zero else { throw .tooLate(by: lateness) }
        let alarm = try clock.makeAlarm(at: memory.firstDue - spin)
        let thread = try nextThread()
        let armed = ArmedVolley(
            deadline: deadline,
            tolerance: tolerance,
            memory: memory,
            alarm: alarm,
            thread: thread
        )
        thread.keep(armed, andReturnTo: idle)
        return armed
    }

    private func nextThread() throws(DeadlineError) -> DeadlineThread {
        if let thread = idle.take() { return thread }
        return try DeadlineThread()
    }
}
