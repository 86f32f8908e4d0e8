import Archive
import ArgumentParser
import ControlInstance
import Glibc

struct Import: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a checkpoint of an archive that 'fermata export' wrote.",
        discussion: """
            Each machine goes to the host that its description names, if that is known here, or that --host names; else to \
            this one. Everything is compared with the archive's own digests, and the checkpoint is there only when all of it is. A \
            simulation that does not exist yet is made, and is down. When something that the machines need is not on their \
            host, the import says what and succeeds; 'resume' then refuses until it is there. An archive is to be trusted \
            like a manifest: a resume runs the commands of its resources. 'fermata show' tells what is in it.
            """
    )

    @Argument(
        help: ArgumentHelp("The archive; '-' or nothing is standard input.", valueName: "file"),
        completion: .file()
    )
    var file: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("What to call it here (default: as it was called).", valueName: "sim[@name]")
    )
    var name: CheckpointName?

    @Option(
        help: ArgumentHelp(
            "A QEMU to use for the machines whose own has the same file name, or for all if it is the only one named. Can be repeated.",
            valueName: "path"
        )
    )
    var qemu: [String] = []

    @OptionGroup var placing: HostOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if file == nil || file == "-", isatty(STDIN_FILENO) == 1 {
            throw ValidationError("Standard input is a terminal: name the archive's file, or send it through a pipe.")
        }
        for path in qemu where !path.hasPrefix("/") {
            throw ValidationError("'\(path)' has to be an absolute path: the daemon runs in another folder.")
        }
    }

    func perform(_ session: Session) async throws {
        let input = try ArchiveInputFile(file)
        var parameters = name.map { ["as=\($0)"] } ?? []
        parameters += qemu.map { "qemu=\(ControlClient.escaped($0))" }
        parameters += placing.hosts.map { "host=\(ControlClient.escaped("\($0.machine)=\($0.host)"))" }
        let path = "/v1/import" + (parameters.isEmpty ? "" : "?\(parameters.joined(separator: "&"))")
        let client = try await session.client()
        let progress = TransferProgress(
            session.terminal,
            "importing \(name?.description ?? input.name)",
            of: input.size
        )
        defer { progress.clear() }
        let report = try Received<ImportReport>(try await client.upload(path, input, progress))
        progress.clear()
        session.show(report) { report in
            let terminal = session.terminal
            let title = "\(report.simulation)@\(report.checkpoint)"
            let origin =
                "\(report.importedFrom.simulation)@\(report.importedFrom.name) of \(report.importedFrom.hosts.joined(separator: ", "))"
            terminal.print(
                "imported \(terminal.out.apply(.strong, title)) (was \(origin)), \(TimeText.bytes(report.bytes))"
            )
            for (host, machines) in Dictionary(grouping: report.machines, by: { report.hosts[$0] ?? "" })
                .sorted(by: { $0.key < $1.key }) where Set(report.hosts.values).count > 1
            {
                terminal.print("on \(host): \(machines.joined(separator: ", "))")
            }
            for note in report.notes { terminal.print("note: \(note)") }
            guard !report.resumable else {
                let next = "next: fermata resume \(title)   (or fermata clone \(title) --as NEW)"
                return terminal.print(terminal.out.apply(.faint, next))
            }
            terminal.print(terminal.out.apply(.warning, "it cannot be resumed as things are:"))
            for reason in report.reasons { terminal.print("  - \(reason)") }
        }
    }
}
