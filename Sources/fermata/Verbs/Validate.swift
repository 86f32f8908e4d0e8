import ArgumentParser
import HypervisorAPI
import SerialText

struct Validate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a manifest; errors come with line and column.",
        discussion:
            "Needs no daemon. With --json prints the simulation with everything filled in. Ends with 2 when it is wrong."
    )

    @Argument(help: ArgumentHelp("The manifest (YAML).", valueName: "file"), completion: ManifestCompletion.kind)
    var manifest = "lab.yaml"

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let spec = try ManifestFile(path: manifest).simulation()
        if session.global.json {
            try session.showJSON(spec)
            return
        }
        session.terminal.print(
            "\(manifest) is valid: simulation \(session.terminal.out.apply(.strong, spec.name)), "
                + "\(Self.count(spec.machines.count, "machine")), \(Self.count(spec.links.count, "link")), "
                + "\(Self.count(spec.resources.count, "resource"))"
        )
        for trigger in spec.triggers ?? [] {
            session.terminal.print("when \(Visible.text(trigger.when)): \(Visible.text(trigger.what))")
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }
}
