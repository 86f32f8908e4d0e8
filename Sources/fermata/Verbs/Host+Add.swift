import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import NIOHTTP1

struct HostAdd: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a host by its agent's address; it has to answer, with a certificate of that name."
    )

    @Argument(help: ArgumentHelp("The name in its certificate.", valueName: "name"))
    var name: String

    @Argument(help: ArgumentHelp("Where its agent listens, HOST:PORT.", valueName: "address"))
    var address: String

    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("key=value, for manifests to ask for; may be repeated.", valueName: "label"),
        transform: { try LabelChange(setting: $0) }
    )
    var labels: [LabelChange] = []

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        struct Body: Encodable {
            let name: String
            let address: String
            let labels: [String: String]
        }
        let labels = labels.reduce(into: [String: String]()) { $0[$1.key] = $1.value }
        let body = try JSONText.encode(Body(name: name, address: address, labels: labels))
        let answer = try Received<HostReport>(try await session.client().send(.POST, "/v1/hosts", body: Data(body)))
        session.show(answer) { host in
            session.terminal.print(
                "added \(host.name), \(host.description?.architecture ?? "") at \(host.address ?? "")"
            )
        }
    }
}
