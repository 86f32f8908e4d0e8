import CShims
import Glibc
import JSON
import Time

extension MonitorLink {
    func start() throws(QMPError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<MonitorLink>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            retained.toOpaque()
        )
        guard code == 0 else {
            retained.release()
            throw QMPError(.system(step: "starting a thread", errno: code), address: address)
        }
    }

    private func run() {
        fermata_thread_prepare("fermata-qmp")
        do throws(QMPError) {
            let socket = try Dialer.connect(to: address, interrupt: event)
            state.withLock { $0.socket = socket }
            converse(socket.number)
        } catch {
            end(error.code)
        }
        let (reason, socket) = state.withLock { state in
            defer { state.socket = nil }
            return (state.end, state.socket)
        }
        // A prepared command may keep the descriptor; the connection ends now all the same.
        if let socket { shutdown(socket.number, Int32(SHUT_RDWR)) }
        ended.fill(reason ?? QMPError(.closed, address: address))
    }

    /// Reads and sends until the connection ends, for whatever reason.
    private func converse(_ socket: Int32) {
        var parser = JSONStreamParser()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var beginning: [UInt8] = []
        while let (wanted, timeout) = plan() {
            var watched = [
                pollfd(fd: event, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket, events: wanted, revents: 0),
            ]
            guard poll(&watched, nfds_t(watched.count), timeout) >= 0 || errno == EINTR else {
                end(.system(step: "waiting for the monitor", errno: errno))
                return
            }
            if watched[0].revents != 0 { fermata_event_clear(event) }
            if watched[1].revents & Int16(POLLOUT) != 0 { carryOut(state.withLock { $0.flush() }) }
            for effects in state.withLock({ $0.expire(address: address) }) { carryOut(effects) }
            guard watched[1].revents & ~Int16(POLLOUT) != 0 else {
                if timeout == 0, let errno = state.withLock({ $0.sendFailure }) { end(.connectionLost(errno: errno)) }
                continue
            }
            let count = recv(socket, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                if beginning.count < Excerpt.length {
                    beginning += chunk[..<min(count, Excerpt.length + 1 - beginning.count)]
                }
                take(chunk[..<count], &parser, beginning: beginning)
            } else if count == 0 {
                endOfStream(parser.isInsideDocument, at: parser.offset, beginning: beginning)
            } else if errno != EAGAIN, errno != EINTR {
                end(.connectionLost(errno: errno))
            }
        }
    }

    /// What to poll the socket for, and for how long (ms); nil when the connection has ended.
    private func plan() -> (Int16, Int32)? {
        state.withLock { state in
            guard state.end == nil else { return nil }
            // A peer that takes nothing any more has closed, and what it sent before is here already.
            if state.sendFailure != nil { return (Int16(POLLIN), 0) }
            let wanted = Int16(POLLIN) | (state.isFull ? Int16(POLLOUT) : 0)
            guard state.nextDue != .max else { return (wanted, -1) }
            let left = max(state.nextDue - MonotonicClock.now, 0)
            // Rounded up: too early would mean spinning.
            return (wanted, Int32(clamping: (left + 999_999) / 1_000_000))
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ parser: inout JSONStreamParser, beginning: [UInt8]) {
        parser.append(bytes)
        do throws(JSONError) {
            while let message = try parser.next() {
                guard handle(message, beginning: beginning) else { return }
            }
        } catch {
            if state.withLock({ $0.session.phase == .greeting }) {
                end(.notQMP(received: Excerpt.printable(beginning)))
            } else {
                end(.protocolViolation("what it sent is not JSON: \(error)"))
            }
        }
    }

    /// False when nothing more is to be read.
    private func handle(_ message: JSONValue, beginning: [UInt8]) -> Bool {
        let (effects, action, subscribers) = state.withLock { $0.receive(message, address: address) }
        carryOut(effects)
        switch action {
        case .event(let event):
            for subscriber in subscribers where !subscriber.deliver(event) {
                end(.protocolViolation("\(EventBuffer.mostUnread) events came that nobody could read in time"))
                return false
            }
        case .fail(.notQMP):
            end(.notQMP(received: Excerpt.printable(beginning)))
            return false
        case .fail(let code):
            end(code)
            return false
        case .negotiate, .ready, .reply, .lateReply:
            break
        }
        return true
    }

    private func endOfStream(_ isInsideMessage: Bool, at offset: Int, beginning: [UInt8]) {
        let phase = state.withLock { $0.session.phase }
        if phase == .greeting, !beginning.isEmpty {
            end(.notQMP(received: Excerpt.printable(beginning)))
        } else if phase == .greeting {
            end(.peerClosed, detail: "it sent no greeting")
        } else {
            end(.peerClosed, detail: isInsideMessage ? "in the middle of a message, after \(offset) bytes" : nil)
        }
    }
}
