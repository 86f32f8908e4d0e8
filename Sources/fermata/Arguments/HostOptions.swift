import ArgumentParser

/// Which machines go to which hosts, for verbs that move checkpoints.
struct HostOptions: ParsableArguments {
    @Option(
        name: .customLong("host"),
        help: ArgumentHelp(
            "The host that a machine goes to, of those that 'fermata host ls' names. Can be repeated.",
            valueName: "machine=host"
        )
    )
    var hosts: [PlacedMachine] = []

    var byMachine: [String: String] {
        Dictionary(hosts.map { ($0.machine, $0.host) }, uniquingKeysWith: { first, _ in first })
    }

    func validate() throws {
        for (machine, all) in Dictionary(grouping: hosts, by: \.machine) where all.count > 1 {
            throw ValidationError("--host says \(all.count) times where \(machine) goes.")
        }
    }
}

struct PlacedMachine: ExpressibleByArgument {
    let machine: String
    let host: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        (machine, host) = (parts[0], parts[1])
    }
}
