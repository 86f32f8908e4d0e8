import ArgumentParser
import ControlInstance
import HypervisorAPI

struct Up: Verb {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start the machines of a manifest, all at one instant.",
        discussion: "Without --at or --in, at the first instant at which every host can."
    )

    @Argument(help: ArgumentHelp("The manifest (YAML).", valueName: "file"), completion: ManifestCompletion.kind)
    var manifest = "lab.yaml"

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Another name for the simulation than the manifest's.", valueName: "name")
    )
    var name: String?

    @OptionGroup var instant: InstantOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws { try CheckpointName.check(name, of: "simulation") }

    func perform(_ session: Session) async throws {
        // Read here and not by the daemon: relative paths and variables are those of whoever calls.
        var spec = try ManifestFile(path: manifest).simulation()
        if let name { spec.name = name }
        let follower = OperationFollower(
            session: session,
            client: try await session.client(),
            title: "up of \(spec.name)"
        )
        let report = try await follower.run(
            "/v1/simulations/\(spec.name)/up",
            body: Body(spec: spec, when: instant.when)
        )
        try OperationText(report).finish(session)
    }

    private struct Body: Encodable {
        let spec: SimulationSpec
        let when: When
    }
}
