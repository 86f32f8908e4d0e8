import ArgumentParser
import Console
import ControlInstance
import NIOHTTP1

struct Rm: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove checkpoints for good.",
        discussion: """
            Checkpoints that grew from a removed one stay whole; in the tree they move up to its parent. With --recursive they are \
            removed, too. Of several, newer ones go first, since their disks may lie on those of older ones. What a simulation or \
            clone stands at, or what disks of others lie on, is not removed.
            """
    )

    @Argument(
        help: ArgumentHelp("The checkpoints.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var checkpoints: [CheckpointName]

    @Flag(help: "Also what grew from them, unless one of it cannot be removed.")
    var recursive = false

    @OptionGroup var global: GlobalOptions

    func validate() throws { for checkpoint in checkpoints { try checkpoint.requireCheckpoint() } }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        var removed: [String] = []
        for target in try await ordered(client) where !removed.contains(target.description) {
            let name = try target.requireCheckpoint()
            let path = "/v1/simulations/\(target.simulation)/checkpoints/\(name)"
            var gone = [target.description]
            if recursive {
                let answer = try Received<RemovedAnswer>(try await client.send(.DELETE, "\(path)?recursive=true"))
                gone = answer.value.removed.map { "\(target.simulation)@\($0)" }
            } else {
                _ = try await client.send(.DELETE, path)
            }
            removed += gone
            if !session.global.json { for name in gone { session.terminal.print("removed \(name)") } }
        }
        if session.global.json { try session.showJSON(["removed": removed]) }
    }

    /// Newest first; nothing is removed when one of them is not there.
    private func ordered(_ client: ControlClient) async throws -> [CheckpointName] {
        guard checkpoints.count > 1 else { return checkpoints }
        var known: [(CheckpointName, CheckpointSummary)] = []
        for target in Set(checkpoints) {
            let name = try target.requireCheckpoint()
            let path = "/v1/simulations/\(target.simulation)/checkpoints/\(name)"
            known.append((target, try await client.get(CheckpointDetail.self, path).value.summary))
        }
        // With --recursive the older one takes the newer ones with it.
        return known.sorted { recursive ? $0.1.created < $1.1.created : $0.1.created > $1.1.created }.map(\.0)
    }
}
