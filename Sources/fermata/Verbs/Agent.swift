import ArgumentParser
import FoundationEssentials
import Glibc
import Hypervisor
import HypervisorAPI
import HypervisorRemote
import PKI

struct Agent: Verb {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Run the hypervisor of this host for a control instance on another one.",
        discussion: """
            Mutual TLS always: the state folder's 'trust' has the credentials that 'fermata pki issue hypervisor NAME' made. Who \
            commands is limited by what is allowed here: QEMU binaries, folders of images, and only if it is said raw arguments, \
            resources, and adoption. Run it as a user of its own; fermata-agent.service does it.
            """
    )

    @Option(help: ArgumentHelp("Where to listen, ADDRESS:PORT.", valueName: "address"))
    var listen = "0.0.0.0:7443"

    @Option(help: ArgumentHelp("Obey this control instance only, by the name in its certificate.", valueName: "name"))
    var only: String?

    @Option(
        name: .customLong("qemu"),
        help: ArgumentHelp(
            "A QEMU binary, or a folder (ending in /) whose qemu-system-… may run; may be repeated (default: /usr/bin/).",
            valueName: "path"
        )
    )
    var binaries: [String] = []

    @Option(
        name: .customLong("files"),
        help: ArgumentHelp(
            "A folder in which firmware, kernels and disks may lie; may be repeated.",
            valueName: "folder"
        )
    )
    var folders: [String] = []

    @Option(
        name: .customLong("shared"),
        help: ArgumentHelp(
            "A folder that is another host's checkpoints, on a file server or mounted; what comes from there is copied out of it. May be repeated.",
            valueName: "folder"
        )
    )
    var shared: [String] = []

    @Flag(name: .customLong("allow-args"), help: "Raw QEMU arguments: whatever this user can do.")
    var allowsArguments = false

    @Flag(name: .customLong("allow-resources"), help: "Resources: commands that are run as this user.")
    var allowsResources = false

    @Flag(name: .customLong("allow-adopt"), help: "Adoption of QEMUs that somebody else started.")
    var allowsAdoption = false

    @Option(
        help: ArgumentHelp("UDP ports at which links to other hosts may receive.", valueName: "first-last"),
        transform: { text in
            guard let ports = LinkPorts(text) else {
                throw ValidationError("'\(text)' is no range of ports such as \(LinkPorts.usual).")
            }
            return ports
        }
    )
    var linkPorts = LinkPorts.usual

    @OptionGroup var log: LogOptions

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (try? ListenAddress(listen)) != nil else {
            throw ValidationError("--listen needs ADDRESS:PORT, such as 0.0.0.0:7443, not '\(listen)'.")
        }
        for path in binaries + folders + shared where !path.hasPrefix("/") {
            throw ValidationError("'\(path)' is no absolute path.")
        }
    }

    func perform(_ session: Session) async throws {
        let endpoint = try ListenAddress(listen)
        try AllowedPath.check(binaries: binaries, folders: folders, shared: shared)
        let policy = AgentPolicy(
            binaries: binaries.isEmpty ? ["/usr/bin/"] : binaries,
            folders: folders,
            allowsArguments: allowsArguments,
            allowsResources: allowsResources,
            allowsAdoption: allowsAdoption,
            linkPorts: linkPorts
        )
        let daemon = try await AgentDaemon(home: session.home, log: log)
        try await daemon.run(
            address: endpoint.address,
            port: endpoint.port,
            policy: policy,
            master: only,
            sharedFolders: shared,
            environment: session.environment
        )
    }
}
