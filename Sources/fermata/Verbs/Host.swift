import ArgumentParser

struct Host: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host",
        abstract: "Hosts besides this one: add, list, drain, remove.",
        discussion: """
            On each further host runs 'fermata agent'. Manifests place machines by 'host: NAME', or by a label of it: \
            'host: rack=a'. docs/hosts.md has the steps.
            """,
        subcommands: [HostAdd.self, HostLs.self, HostDrain.self, HostRm.self],
        defaultSubcommand: HostLs.self
    )
}
