import HostClock
import HypervisorAPI
import QMP
import Synchronization
import Time

/// What befell one process of a machine, from when its monitor was connected: whoever asks is told what came behind what he knows.
final class EventLog: Sendable {
    private struct State {
        var entries: [(number: UInt64, entry: EventChunk.Entry)] = []
        var last: UInt64 = 0
        /// Connections whose events still come.
        var collecting = 0
        /// Grows with whatever a reader may wait for.
        var version: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    /// Of this daemon, and of this process of the machine.
    let name = String(UInt64.random(in: .min ... .max), radix: 16)
    private let state = Mutex(State())

    /// Whether what a process says last may still come, also when that has ended.
    var isCollecting: Bool { state.withLock { $0.collecting > 0 } }

    var version: UInt64 { state.withLock { $0.version } }

    /// Keeps what comes until the connection ends. It does not keep the connection.
    func collect(_ events: QMPEvents, by clock: any RealtimeClock) {
        state.withLock { $0.collecting += 1 }
        Task {
            while let event = await events.next() {
                if let befallen = GuestEvent(event) { add(befallen, at: event.timestamp ?? clock.now()) }
            }
            changed { $0.collecting -= 1 }
        }
    }

    func add(_ event: GuestEvent, at instant: HostInstant) {
        changed { state in
            state.last += 1
            state.entries.append((state.last, EventChunk.Entry(event, at: instant)))
            guard state.entries.count > EventChunk.mostEvents else { return }
            // There are fewer kinds than entries, so one of them has a later one of its kind.
            var seen: Set<GuestEvent> = []
            let repeated = state.entries.indices.reversed().filter {
                !seen.insert(state.entries[$0].entry.event).inserted
            }
            if let oldest = repeated.last { state.entries.remove(at: oldest) }
        }
    }

    /// What a machine stands still for: it may have been told to somebody else, or to nobody.
    func find(_ event: GuestEvent, at instant: HostInstant) {
        let isKnown = state.withLock { $0.entries.contains { $0.entry.event == event } }
        if !isKnown { add(event, at: instant) }
    }

    /// - Parameter mark: nil, or of another log: from the beginning.
    func read(after mark: EventMark?) -> (end: EventMark, events: [EventChunk.Entry]) {
        state.withLock { state in
            let known = mark.flatMap { $0.log == name ? $0.number : nil } ?? 0
            return (
                EventMark(log: name, number: state.last),
                state.entries.filter { $0.number > known }.map(\.entry)
            )
        }
    }

    /// Returns when there is another version, or the task is cancelled.
    func change(from version: UInt64) async {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.version == version, !state.cancelled.contains(id) else { return false }
                    state.waiting[id] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiting.removeValue(forKey: id)
                // It was told, or it has not begun to wait.
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            waiter?.resume()
        }
    }

    private func changed(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            state.version += 1
            defer { state.waiting = [:] }
            return state.waiting
        }
        for waiter in waiting.values { waiter.resume() }
    }
}
