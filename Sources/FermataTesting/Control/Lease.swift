import FoundationEssentials
import Glibc
import Synchronization

/// A name whose simulation lives as long as this process does, or until it is ended.
///
/// It is an answer of the daemon that does not end. When this process is gone, however it went, so is the connection, and the daemon ends
/// the simulation and removes what it had.
final class Lease: Sendable {
    /// How it ended.
    struct Report: Decodable {
        let kept: [String]
        let reasons: [FermataError.Reason]
    }

    let simulation: String
    private let control: Control
    private let holder: Holder

    /// - Throws: when somebody holds that name, or something is there by it; `daemon-of-other-version`.
    init(of simulation: String, _ control: Control) async throws(FermataError) {
        self.simulation = simulation
        self.control = control
        holder = Holder(try await control.hold(simulation))
        let socket = try control.socketPath
        OwnThread.start { [holder] in holder.keep(simulation, at: socket) }
    }

    /// Nobody has any use for it now.
    deinit { holder.letGo() }

    /// Ends its simulation's machines and removes it with its checkpoints.
    /// - Parameter names: of checkpoints that stay.
    func end(keeping names: [String]) async throws(FermataError) -> Report {
        holder.endsNow()
        defer { holder.letGo() }
        let path = "/v1/leases/\(simulation)/end"
        // Strings can always be encoded.
        let body = (try? JSONEncoder().encode(["keep": names])) ?? Data()
        let answer = try await control.request("POST", path, body: body)
        return try Control.decode(Report.self, answer, "POST \(path)")
    }

    /// The connection, which a thread watches.
    private final class Holder: Sendable {
        private struct State {
            var connection: ControlConnection
            /// Then it is not taken once more: the name would be held again, by nobody who knows.
            var isOver = false
        }

        private let state: Mutex<State>

        init(_ connection: ControlConnection) { state = Mutex(State(connection: connection)) }

        func endsNow() { state.withLock { $0.isOver = true } }

        func letGo() {
            state.withLock { state in
                state.isOver = true
                state.connection.hangUp()
            }
        }

        /// When the daemon ends, the next one is asked for it again: it has it on record, and waits half a minute.
        func keep(_ simulation: String, at socket: String) {
            while true {
                state.withLock(\.connection).waitForEnd()
                repeat {
                    if state.withLock(\.isOver) { return }
                    usleep(200_000)
                } while !takeUp(simulation, at: socket)
            }
        }

        private func takeUp(_ simulation: String, at socket: String) -> Bool {
            guard !state.withLock(\.isOver), let connection = try? Control.hold(simulation, at: socket) else {
                return false
            }
            state.withLock { state in
                state.connection = connection
                // Whoever ended it meanwhile has let the old one go.
                if state.isOver { connection.hangUp() }
            }
            return true
        }
    }
}
