import FoundationEssentials
import Glibc
import Synchronization

/// The port of a machine on another host, which the daemon follows: all that came out of it from the machine's beginning on.
final class FarSerial: SerialSource {
    private let listener: Listener

    /// - Parameters:
    ///   - path: of the port in the API.
    ///   - socket: of the daemon.
    init(_ path: String, at socket: String) {
        listener = Listener(path, at: socket)
        OwnThread.start { [listener] in listener.run() }
    }

    deinit { listener.end() }

    func read() -> (unread: String, received: Int) {
        listener.state.withLock { ($0.text.unread, $0.text.received) }
    }

    func skip(_ count: Int) { listener.state.withLock { $0.text.skip(count) } }

    var whereabouts: String { listener.state.withLock { $0.trouble ?? "on another host" } }

    private final class Listener: Sendable {
        struct State {
            var text = SerialText()
            /// Why nothing is heard now.
            var trouble: String?
            /// Of what was heard last.
            var seen = "0"
            var connection: ControlConnection?
            var isOver = false
        }

        /// Before a daemon that is not there is asked again.
        private static let pause: UInt32 = 200_000

        private struct PortState: Decodable {
            let state: String
            let message: String
        }

        let state = Mutex(State())
        private let path: String
        private let socket: String

        init(_ path: String, at socket: String) {
            self.path = path
            self.socket = socket
        }

        func end() {
            state.withLock { state in
                state.isOver = true
                state.connection?.hangUp()
            }
        }

        func run() {
            while !state.withLock(\.isOver) {
                do throws(ControlConnection.Lost) {
                    guard try listen() else { return }
                } catch {
                    // The next daemon goes on where this one was.
                    state.withLock { $0.trouble = error.description }
                }
                usleep(Self.pause)
            }
        }

        /// - Returns: false when nothing more will ever come.
        private func listen() throws(ControlConnection.Lost) -> Bool {
            let connection = try ControlConnection(to: socket)
            let seen = state.withLock { state -> String in
                state.connection = connection
                if state.isOver { connection.hangUp() }
                return state.seen
            }
            try connection.ask("GET", path, body: nil, headers: ["accept": "text/event-stream", "last-event-id": seen])
            var events = EventReader()
            while let (status, bytes) = try connection.readPiece() {
                guard status == 200 else {
                    let refusal = FermataError(
                        answer: Data(bytes),
                        status: 1,
                        doing: path,
                        otherwise: "HTTP status \(status)"
                    )
                    state.withLock { $0.trouble = refusal.description }
                    return refusal.code != "simulation-not-found"
                }
                guard let told = events.take(bytes) else { return false }
                for event in told where !take(event) { return false }
            }
            return true
        }

        /// - Returns: false when nothing follows.
        private func take(_ event: EventReader.Event) -> Bool {
            switch event.name {
            case "output":
                guard let bytes = Data(base64Encoded: event.data) else { return true }
                state.withLock { state in
                    state.text.take(bytes)
                    state.trouble = nil
                    if let id = event.id { state.seen = id }
                }
                return true
            case "state":
                guard let port = try? JSONDecoder().decode(PortState.self, from: Data(event.data.utf8)) else {
                    return true
                }
                state.withLock { $0.trouble = port.state == "connected" ? nil : port.message }
                return port.state != "ended"
            default: return true
            }
        }
    }
}
