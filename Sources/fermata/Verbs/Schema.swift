import ArgumentParser
import FoundationEssentials
import Manifest

struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON schema of manifests, for editors.",
        discussion: "It is made from the same source as 'fermata validate'."
    )

    func run() async throws {
        Terminal(environment: ProcessInfo.processInfo.environment).print(Manifest.jsonSchema)
    }
}
