import ArgumentParser
import Console
import NIOHTTP1

struct HostRm: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Forget a host on which no machine lives and no checkpoint lies."
    )

    @Argument(help: ArgumentHelp("The host.", valueName: "name"), completion: NameCompletion.hosts.kind)
    var name: String

    @Flag(help: "Also one that is gone for good: its machines are taken for ended, its parts of checkpoints for lost.")
    var force = false

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        _ = try await session.client().send(.DELETE, "/v1/hosts/\(ControlClient.escaped(name))?force=\(force)")
        if session.global.json {
            try session.showJSON(["removed": [name]])
        } else {
            session.terminal.print("removed \(name)")
        }
    }
}
