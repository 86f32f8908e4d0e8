import CShims
import Glibc
import JSON
import Time

extension MonitorLink {
    /// Waits for an answer; cancelling the task gives up waiting.
    func answer(in slot: Slot<Reply>, id: Int64) async throws(QMPError) -> JSONValue {
        let reply = await withTaskCancellationHandler {
            await slot.value()
        } onCancel: {
            giveUp(id, .cancelled)
        }
        return try reply.get()
    }

    func endForTimeout(_ limit: Span) {
        let (isConnected, phase) = state.withLock { ($0.socket != nil, $0.session.phase) }
        let detail =
            switch phase {
            case .greeting where isConnected:
                "no greeting came: it is no QMP monitor, or another client has it"
            case .greeting: "nobody accepted the connection"
            case .negotiating: "it greeted, but did not answer qmp_capabilities"
            case .ready: "it was ready too late"
            }
        if phase != .ready { end(.timeout(limit), detail: detail) }
    }

    func peerProcessID() -> Int32? {
        guard case .unix = address, let socket = state.withLock({ $0.socket }) else { return nil }
        let process = fermata_peer_pid(socket.number)
        return process > 0 ? process : nil
    }
}

/// errno, read before anything else can change it.
func lastError() -> Int32 { errno }
