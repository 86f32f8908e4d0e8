import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import NIOHTTP1

struct HostDrain: Verb {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Start and resume no machines on a host any more; those that run go on."
    )

    @Argument(help: ArgumentHelp("The host.", valueName: "name"), completion: NameCompletion.hosts.kind)
    var name: String

    @Flag(help: "It takes machines again.")
    var undo = false

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let body = try JSONText.encode(["drained": !undo])
        let answer = try Received<HostReport>(
            try await session.client().send(.POST, "/v1/hosts/\(ControlClient.escaped(name))/drain", body: Data(body))
        )
        session.show(answer) { host in
            session.terminal.print(
                undo
                    ? "\(host.name) takes machines again"
                    : "\(host.name) takes no new machines; \(host.machines) of running simulations live there"
            )
        }
    }
}
