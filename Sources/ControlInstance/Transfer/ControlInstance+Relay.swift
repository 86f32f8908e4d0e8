import HostClock
import HypervisorAPI
import Synchronization
import Time

/// Bytes of checkpoints that go through the control instance, a piece at a time.
extension ControlInstance {
    /// Brings one file from host to host. What was lost on the way is asked for again from where it stopped, as long as
    /// ``ControlOptions/transferPatience`` has it.
    /// - Parameters:
    ///   - bytes: how large it has to be.
    ///   - position: how far it came by another way.
    /// - Throws: which file did not come, from where, how far, and why; a part of it may be there then.
    func bring(
        _ source: FilePlace,
        from sender: any Hypervisor,
        to target: FilePlace,
        on receiver: any Hypervisor,
        bytes: UInt64,
        behind position: UInt64 = 0
    ) async throws(ControlError) {
        var way = FileWay(bytes: bytes, from: position)
        do throws(ControlError) {
            repeat {
                let next = way.position
                let piece = try await persistently(sender) { sender throws(HypervisorError) in
                    try await sender.read(source, from: next)
                }
                if try needsWriting(piece, on: way) {
                    try await persistently(receiver) { receiver throws(HypervisorError) in
                        try await receiver.write(piece, to: target)
                    }
                }
                way.advance(behind: piece)
                state.withLock { $0.metrics.transferred.relayed &+= UInt64(piece.bytes.count) }
            } while !way.isThrough
        } catch {
            throw .notBrought(error, target, sender, receiver, way.position, of: bytes)
        }
    }

    private func needsWriting(_ piece: FilePiece, on way: FileWay) throws(ControlError) -> Bool {
        do throws(HypervisorError) {
            return try way.needsWriting(piece)
        } catch {
            throw ControlError(error)
        }
    }

    /// Asks again while a host cannot be reached, for what can be repeated.
    func persistently<Value: Sendable>(
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

extension ControlError {
    /// - Parameter position: how far it came.
    static func notBrought(
        _ error: ControlError,
        _ target: FilePlace,
        _ sender: any Hypervisor,
        _ receiver: any Hypervisor,
        _ position: UInt64,
        of bytes: UInt64
    ) -> ControlError {
        let way =
            "\(target.path) did not come from host \(sender.host) to \(receiver.host), \(position) of \(bytes) bytes did"
        return ControlError(
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
