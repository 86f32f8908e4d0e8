import HypervisorAPI
import Synchronization
import Time

/// What this host reads from others just now.
final class PeerFetches: Sendable {
    /// After it a call is answered with how far it came: whoever asks sees that, and little is done twice when an answer is lost.
    static let stretch = Span.seconds(5)
    /// Of one piece.
    static let piecePatience = Span.seconds(40)

    private struct State {
        var running: [Int: (folder: String, task: Task<Result<FetchProgress, HypervisorError>, Never>)] = [:]
        var next = 0
    }

    private let hypervisor: any Hypervisor
    private let folders: CheckpointFolders
    private let trust: LiveTrust
    private let state = Mutex(State())

    init(hypervisor: any Hypervisor, folders: CheckpointFolders, trust: LiveTrust) {
        self.hypervisor = hypervisor
        self.folders = folders
        self.trust = trust
    }

    /// - Parameter order: in this host's folders, its source's too.
    func fetch(_ order: FetchOrder) async throws(HypervisorError) -> FetchProgress {
        let path = try folders.relative(order.source, of: [.checkpoint, .export])
        let (number, task) = state.withLock { state in
            let task = Task { await self.outcome(of: order, path) }
            state.next += 1
            state.running[state.next] = (order.target.folder, task)
            return (state.next, task)
        }
        defer { state.withLock { state in state.running[number] = nil } }
        // A server that ends does not wait for the whole of it.
        return try await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }.get()
    }

    /// Ends what comes into a folder, whoever waits for it: afterwards nothing of it is written any more.
    func stop(into folder: String) async {
        let tasks = state.withLock { $0.running.values.filter { $0.folder == folder }.map(\.task) }
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.value }
    }

    private func outcome(of order: FetchOrder, _ path: String) async -> Result<FetchProgress, HypervisorError> {
        let trust = trust
        let agent = AgentClient(host: order.grant.host) { () throws(HypervisorError) in trust }
        let peer = HypervisorConnection(host: order.grant.host, base: "https://\(order.grant.address)", agent: agent)
        do throws(HypervisorError) {
            let progress = try await bring(path, from: peer, order)
            await agent.close()
            return .success(progress)
        } catch {
            await agent.close()
            return .failure(error)
        }
    }

    private func bring(
        _ path: String,
        from peer: HypervisorConnection,
        _ order: FetchOrder
    ) async throws(HypervisorError) -> FetchProgress {
        let end = ContinuousClock.now + Self.stretch.duration
        var way = FileWay(bytes: order.bytes, from: order.offset)
        repeat {
            let piece: FilePiece
            do throws(HypervisorError) {
                piece = try await peer.piece(path, from: way.position, grant: order.grant, patience: Self.piecePatience)
            } catch {
                guard !Task.isCancelled else { throw .cancelled }
                guard error.reasons.contains(where: { $0.code == "host-unreachable" }) else { throw error }
                // What has come is told: from there it goes on.
                guard way.position == order.offset else { break }
                throw HypervisorError(
                    code: "peer-unreachable",
                    message: "host \(peer.host) cannot be reached from host \(hypervisor.host): \(error)"
                )
            }
            guard !Task.isCancelled else { throw .cancelled }
            if try way.needsWriting(piece) { try await hypervisor.write(piece, to: order.target) }
            way.advance(behind: piece)
        } while !way.isThrough && ContinuousClock.now < end
        return FetchProgress(position: way.position, sent: way.sent)
    }
}
