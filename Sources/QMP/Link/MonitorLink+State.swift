import CShims
import Glibc
import JSON
import Time

extension MonitorLink.Waiting {
    mutating func set(_ limit: Span?) {
        self.limit = limit
        due = limit.map(MonotonicClock.due(in:)) ?? .max
    }
}

extension MonitorLink.State {
    /// Sends what may leave; the thread must know when the socket is full.
    mutating func flush() -> Effects {
        var effects = Effects()
        guard let socket, end == nil, sendFailure == nil else { return effects }
        let wasFull = isFull
        let outcome = outbox.flush { bytes, descriptors in
            Int(fermata_send_fds(socket.number, bytes.baseAddress, bytes.count, descriptors, descriptors.count))
        }
        isFull = outcome == .full
        switch outcome {
        case .rested, .full:
            break
        case .held(let id):
            // The limit was for the turn; from here on the owner decides, so that nobody else gets the socket meanwhile.
            waiting[id]?.set(nil)
            if let hold = waiting[id]?.hold { effects.holds.append((hold, .success(socket))) }
        case .failed(let errno):
            sendFailure = errno
            effects.wake = true
        }
        if isFull, !wasFull { effects.wake = true }
        return effects
    }

    /// True when the thread sleeps longer than that.
    mutating func watch(_ due: Int64) -> Bool {
        guard due < nextDue else { return false }
        nextDue = due
        return true
    }

    mutating func giveUp(_ id: Int64, _ code: QMPError.Code, address: QMPAddress) -> Effects {
        guard let lost = waiting.removeValue(forKey: id) else { return Effects() }
        let wasSent = outbox.remove(id) == .sent
        var error = QMPError(code, command: session.pending[id], address: address)
        if !wasSent {
            let holder = outbox.holder.flatMap { session.pending[$0] }
            error.detail = holder.map { "it was not sent: '\($0)' is prepared on this connection" } ?? "it was not sent"
        }
        session.forget(id, wasSent: wasSent)
        var effects = flush()
        effects.replies.append((lost.slot, .failure(error)))
        if let hold = lost.hold { effects.holds.append((hold, .failure(error))) }
        return effects
    }

    mutating func expire(address: QMPAddress) -> [Effects] {
        let now = MonotonicClock.now
        guard now >= nextDue else { return [] }
        let late = waiting.filter { $0.value.due <= now }
        let effects = late.keys.sorted().map { giveUp($0, .timeout(late[$0]?.limit ?? .zero), address: address) }
        nextDue = waiting.values.map(\.due).min() ?? .max
        return effects
    }

    mutating func abandonAll(_ reason: QMPError) -> Effects {
        var effects = Effects()
        for (id, lost) in waiting.sorted(by: { $0.key < $1.key }) {
            let error = reason.of(session.pending[id])
            effects.replies.append((lost.slot, .failure(error)))
            if let hold = lost.hold { effects.holds.append((hold, .failure(error))) }
        }
        waiting = [:]
        outbox = Outbox()
        effects.finished = subscribers.compactMap(\.events)
        subscribers = []
        effects.readiness = .failure(reason)
        effects.wake = true
        return effects
    }

    /// What a message from QEMU changes, and the event it was, if any, with who wants it.
    mutating func receive(_ message: JSONValue, address: QMPAddress) -> (Effects, QMPSession.Action, [QMPEvents]) {
        let action = session.receive(message)
        switch action {
        case .negotiate(let command, let id):
            do throws(QMPError) {
                outbox.append(.message(.init(id: id, bytes: try command.encoded(id: id))))
            } catch {
                return (Effects(), .fail(error.code), [])
            }
            return (flush(), action, [])
        case .ready:
            var effects = Effects()
            if let greeting = session.greeting { effects.readiness = .success(greeting) }
            return (effects, action, [])
        case .reply(let id, let command, let answer):
            outbox.answered(id)
            // An answer is proof enough that the prepared bytes left.
            outbox.release(id)
            var effects = flush()
            if let done = waiting.removeValue(forKey: id) {
                effects.replies.append((done.slot, Self.reply(to: command, answer, address: address)))
            }
            return (effects, action, [])
        case .lateReply(let id):
            outbox.answered(id)
            return (flush(), action, [])
        case .event:
            return (Effects(), action, subscribers.compactMap(\.events))
        case .fail:
            return (Effects(), action, [])
        }
    }

    private static func reply(
        to command: String,
        _ answer: QMPSession.Answer,
        address: QMPAddress
    ) -> MonitorLink.Reply {
        switch answer {
        case .value(let value):
            .success(value)
        case .refusal(let name, let text):
            .failure(QMPError(.command(class: name, description: text), command: command, address: address))
        }
    }
}
