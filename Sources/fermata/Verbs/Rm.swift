import ArgumentParser
import NIOHTTP1

struct Rm: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Remove checkpoints for good.",
        discussion: "Checkpoints that grew from a removed one stay whole; in the tree they move up to its parent."
    )

    @Argument(help: ArgumentHelp("The checkpoints.", valueName: "sim@name"))
    var checkpoints: [CheckpointName]

    @OptionGroup var global: GlobalOptions

    func validate() throws { for checkpoint in checkpoints { try checkpoint.requireCheckpoint() } }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        for target in checkpoints {
            let name = try target.requireCheckpoint()
            _ = try await client.send(.DELETE, "/v1/simulations/\(target.simulation)/checkpoints/\(name)")
            if !session.global.json { session.terminal.print("removed \(target)") }
        }
        if session.global.json { try session.showJSON(["removed": checkpoints.map(\.description)]) }
    }
}
