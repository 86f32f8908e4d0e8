import HypervisorAPI
import Logging
import Synchronization
import Time

/// Bytes of checkpoints that go from agent to agent. The control instance says who may read what, and is asked where to go on.
extension ControlInstance {
    /// How often in a row nothing comes before two hosts count as having no way to each other.
    private static let attempts = 2

    /// Has one host read a file from another. An agent that was started anew is waited for as ``ControlOptions/transferPatience`` has it, and
    /// goes on in the middle of the file.
    /// - Returns: how far it came where the two cannot reach each other, which the way says from then on; nil: all of it.
    func fetch(
        _ source: FilePlace,
        to target: FilePlace,
        bytes: UInt64,
        by way: inout DirectWay
    ) async throws(ControlError) -> UInt64? {
        var position: UInt64 = 0
        var misses = 0
        while way.obstacle == nil {
            do throws(ControlError) {
                let grant = try await grant(of: &way)
                let order = FetchOrder(grant: grant, source: source, target: target, offset: position, bytes: bytes)
                let receiver = way.receiver
                let progress = try await persistently(receiver) { _ throws(HypervisorError) in
                    try await receiver.fetch(order)
                }
                guard progress.position <= bytes, progress.position > position || progress.position == bytes else {
                    throw ControlError(
                        code: "message-invalid",
                        message: "host \(receiver.host) says that it has \(progress.position) of \(bytes) bytes"
                    )
                }
                position = progress.position
                misses = 0
                state.withLock { $0.metrics.transferred.direct &+= progress.sent }
                if position == bytes { return nil }
            } catch {
                guard error.isBetweenHosts else {
                    throw .notBrought(error, target, way.sender, way.receiver, position, of: bytes)
                }
                // It may not be known any more. Who gives another one is there; if it is known, nobody needs it.
                end(way)
                way.grant = nil
                misses += 1
                guard error.isPassing, misses < Self.attempts else {
                    way.obstacle = error
                    logger.notice("\(way.note ?? "")")
                    break
                }
                try? await Task.sleep(for: options.transferPause.duration)
            }
        }
        return position
    }

    /// Whether the receiver has taken a file from a folder in which it sees what other hosts have.
    func isShared(
        _ file: CheckpointFile,
        _ source: FilePlace,
        from sender: any Hypervisor,
        to target: FilePlace,
        on receiver: any Hypervisor
    ) async throws(ControlError) -> Bool {
        guard let shared = receiver as? any SharedFolderHost else { return false }
        let order = SharedFileOrder(file: file, source: source, target: target)
        do throws(ControlError) {
            let isThere = try await wait(for: receiver) { _ throws(HypervisorError) in
                try await shared.copyShared(order)
            }
            if isThere { state.withLock { $0.metrics.transferred.shared &+= file.bytes } }
            return isThere
        } catch {
            // The way over the network has more patience, and older agents know it.
            let codes: Set = ["host-unreachable", "version-mismatch"]
            if error.reasons.allSatisfy({ codes.contains($0.code) }) { return false }
            throw .notBrought(error, target, sender, receiver, 0, of: file.bytes)
        }
    }

    private func grant(of way: inout DirectWay) async throws(ControlError) -> ReadGrant {
        if let grant = way.grant { return grant }
        let (sender, order) = (way.sender, way.order)
        let grant = try await persistently(sender) { _ throws(HypervisorError) in try await sender.grant(order) }
        way.grant = grant
        return grant
    }

    /// Nobody needs to read any more. A host that cannot be told forgets it by itself.
    func end(_ way: DirectWay) {
        guard let grant = way.grant else { return }
        let sender = way.sender
        Task { try? await sender.endGrant(grant) }
    }
}
