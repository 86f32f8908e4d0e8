import CShims
import Glibc
import JSON
import Synchronization
import Time

/// One socket, its thread, and everybody who waits for something from it.
///
/// The thread reads, keeps the time limits and sends what the socket did not take at once; callers send directly, since
/// waking a thread costs more than the write. Nothing blocks under the lock.
final class MonitorLink: Sendable {
    typealias Reply = Result<JSONValue, QMPError>

    struct Waiting {
        let slot: Slot<Reply>
        /// For a prepared command: filled when the socket is its own.
        var hold: Slot<Result<OwnedDescriptor, QMPError>>?
        var limit: Span?
        /// On the monotonic clock; `Int64.max` for none.
        var due = Int64.max
    }

    struct Subscriber {
        weak var events: QMPEvents?
    }

    struct State {
        var session = QMPSession()
        var socket: OwnedDescriptor?
        var outbox = Outbox()
        var waiting: [Int64: Waiting] = [:]
        /// No limit ends before this; it may be too early, never too late.
        var nextDue = Int64.max
        var subscribers: [Subscriber] = []
        /// The first reason for the end; no command's.
        var end: QMPError?
        /// The socket refused to take bytes: more is tried when it says so.
        var isFull = false
        /// Sending failed. What the peer sent before is still read, and its end says why.
        var sendFailure: Int32?
    }

    let address: QMPAddress
    /// Raised when the thread must look at the state again.
    let event: Int32
    let state = Guarded(State())
    let ready = Slot<Result<QMPGreeting, QMPError>>()
    /// Filled when the thread is gone.
    let ended = Slot<QMPError>()
    private let lastID = Atomic<Int64>(0)

    init(address: QMPAddress) throws(QMPError) {
        self.address = address
        event = fermata_event_open()
        guard event >= 0 else {
            throw QMPError(.system(step: "opening an event descriptor", errno: -event), address: address)
        }
    }

    deinit {
        if event >= 0 { close(event) }
    }

    func newID() -> Int64 { lastID.add(1, ordering: .relaxed).newValue }

    func wake() { fermata_event_raise(event) }

    /// Queues a command, and sends it if nothing is before it.
    func submit(
        _ command: QMPCommand,
        id: Int64,
        bytes: [UInt8],
        descriptors: [OwnedDescriptor],
        timeout: Span?
    ) throws(QMPError) -> Slot<Reply> {
        let message = Outbox.Message(id: id, bytes: bytes, descriptors: descriptors)
        return try enqueue(command, id: id, entry: .message(message), hold: nil, timeout: timeout)
    }

    /// Queues a prepared command's lead, behind which the socket is its own.
    func reserve(
        _ command: QMPCommand,
        id: Int64,
        _ advance: QMPCommand.Advance,
        timeout: Span?
    ) throws(QMPError) -> (slot: Slot<Reply>, hold: Slot<Result<OwnedDescriptor, QMPError>>) {
        let hold = Slot<Result<OwnedDescriptor, QMPError>>()
        let entry = Outbox.Entry.hold(.init(id: id, bytes: advance.lead), retraction: advance.retraction)
        let slot = try enqueue(command, id: id, entry: entry, hold: hold, timeout: timeout)
        return (slot, hold)
    }

    private func enqueue(
        _ command: QMPCommand,
        id: Int64,
        entry: Outbox.Entry,
        hold: Slot<Result<OwnedDescriptor, QMPError>>?,
        timeout: Span?
    ) throws(QMPError) -> Slot<Reply> {
        var waiting = Waiting(slot: Slot(), hold: hold)
        waiting.set(timeout)
        let (end, effects) = state.withLock { state -> (QMPError?, Effects) in
            if let end = state.end { return (end, Effects()) }
            state.session.register(id, command: command.name)
            state.waiting[id] = waiting
            state.outbox.append(entry)
            var effects = state.flush()
            effects.wake = state.watch(waiting.due) || effects.wake
            return (nil, effects)
        }
        if let end { throw end.of(command.name) }
        carryOut(effects)
        return waiting.slot
    }

    /// Sets a new limit for an answer that is still to come.
    func limit(_ id: Int64, to timeout: Span?) {
        let mustWake = state.withLock { state in
            state.waiting[id]?.set(timeout)
            return state.waiting[id].map { state.watch($0.due) } ?? false
        }
        if mustWake { wake() }
    }

    /// The prepared command's owner wrote `count` of its bytes: the rest, if any, leaves first, then the others.
    func handBack(_ id: Int64, bytes: [UInt8], written count: Int) {
        let effects = state.withLock { state -> Effects in
            guard state.outbox.holder == id else { return Effects() }
            state.outbox.release(id)
            if count < bytes.count {
                state.outbox.putFirst(.init(id: id, bytes: bytes, sent: max(count, 0)))
            }
            return state.flush()
        }
        carryOut(effects)
    }

    func isHolder(_ id: Int64) -> Bool {
        state.withLock { $0.outbox.holder == id || $0.end != nil }
    }

    /// Whoever waited for `id` waits no more.
    func giveUp(_ id: Int64, _ code: QMPError.Code) {
        let effects = state.withLock { $0.giveUp(id, code, address: address) }
        carryOut(effects)
    }

    func subscribe(capacity: Int) -> QMPEvents {
        let events = QMPEvents(capacity: capacity)
        let isOver = state.withLock { state in
            state.subscribers.removeAll { $0.events == nil }
            state.subscribers.append(Subscriber(events: events))
            return state.end != nil
        }
        if isOver { events.finish() }
        return events
    }

    /// Ends the connection, for the first reason that is given, and tells everybody who waits.
    func end(_ code: QMPError.Code, detail: String? = nil) {
        let effects = state.withLock { state -> Effects in
            guard state.end == nil else { return Effects() }
            let reason = QMPError(code, address: address, detail: detail)
            state.end = reason
            return state.abandonAll(reason)
        }
        carryOut(effects)
    }

    /// What follows from a change of the state, done outside the lock: continuations may run anything.
    func carryOut(_ effects: Effects) {
        for (slot, reply) in effects.replies { slot.fill(reply) }
        for (slot, outcome) in effects.holds { slot.fill(outcome) }
        for events in effects.finished { events.finish() }
        if let readiness = effects.readiness { ready.fill(readiness) }
        if effects.wake { wake() }
    }
}

/// See ``MonitorLink/carryOut(_:)``.
struct Effects {
    var replies: [(Slot<MonitorLink.Reply>, MonitorLink.Reply)] = []
    var holds: [(Slot<Result<OwnedDescriptor, QMPError>>, Result<OwnedDescriptor, QMPError>)] = []
    var finished: [QMPEvents] = []
    var readiness: Result<QMPGreeting, QMPError>?
    var wake = false
}
