import ArgumentParser
import Console
import NIOHTTP1

struct TokenRevoke: Verb {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Make a token good for nothing, at once; connections that it has open end within a second."
    )

    @Argument(help: "The token's name.")
    var name: String

    @OptionGroup var global: GlobalOptions

    func validate() throws { try CheckpointName.check(name, of: "token") }

    func perform(_ session: Session) async throws {
        _ = try await session.client().send(.DELETE, "/v1/tokens/\(name)")
        if session.global.json {
            try session.showJSON(["revoked": [name]])
        } else {
            session.terminal.print("revoked \(name)")
        }
    }
}
