import HostClock
import HypervisorAPI
import Time

/// Bytes of checkpoints on their way between hosts go through the control instance, a piece at a time.
extension ControlInstance {
    /// Brings one file from host to host. What was lost on the way is asked for again from where it stopped, as long as
    /// ``ControlOptions/transferPatience`` has it.
    /// - Parameter bytes: how large it has to be.
    /// - Throws: which file did not come, from where, how far, and why; a part of it may be there then.
    func bring(
        _ source: FilePlace,
        from sender: any Hypervisor,
        to target: FilePlace,
        on receiver: any Hypervisor,
        bytes: UInt64
    ) async throws(ControlError) {
        var position: UInt64 = 0
        do throws(ControlError) {
            repeat {
                let next = position
                let piece = try await persistently(sender) { sender throws(HypervisorError) in
                    try await sender.read(source, from: next)
                }
                guard piece.isSound, piece.offset >= next, piece.size == bytes else {
                    throw ControlError(
                        code: "checkpoint-corrupt",
                        message: "it has \(piece.size) bytes instead of \(bytes)"
                    )
                }
                // One that is all hole comes in no piece.
                if !piece.bytes.isEmpty || next == 0 {
                    try await persistently(receiver) { receiver throws(HypervisorError) in
                        try await receiver.write(piece, to: target)
                    }
                }
                position = piece.end
            } while position < bytes
        } catch {
            let way =
                "\(target.path) did not come from host \(sender.host) to \(receiver.host), \(position) of \(bytes) bytes did"
            throw ControlError(
                error.reasons.map { reason in
                    Reason(
                        code: reason.code,
                        machine: reason.machine,
                        message: "\(way): \(reason.message); nothing of it is kept, begin anew when that is mended"
                    )
                },
                exitCode: error.exitCode
            )
        }
    }

    /// Asks again while a host cannot be reached, for what can be repeated.
    private func persistently<Value: Sendable>(
        _ hypervisor: any Hypervisor,
        _ question: @escaping @Sendable (any Hypervisor) async throws(HypervisorError) -> Value
    ) async throws(ControlError) -> Value {
        let deadline = clock.now() + options.transferPatience
        while true {
            guard !Task.isCancelled else { throw ControlError(.cancelled) }
            do throws(ControlError) {
                return try await ask(hypervisor, within: options.pieceTimeout, question)
            } catch {
                let isAway = error.reasons.contains { ["host-unreachable", "host-no-answer"].contains($0.code) }
                guard isAway, clock.now() < deadline else { throw error }
                try? await Task.sleep(for: options.transferPause.duration)
            }
        }
    }
}
