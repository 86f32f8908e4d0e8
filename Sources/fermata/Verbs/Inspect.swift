import ArgumentParser
import FoundationEssentials
import GuestClock
import MigrationStream

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in a QEMU checkpoint file, ours or not: its sections and its clocks.",
        discussion: """
            Needs no daemon. Ends with 6 when the file is damaged or not a checkpoint, or its clocks cannot be read.

            A checkpoint does not name the QEMU that wrote it. With --json, `qemu.atLeast` is the oldest that can have: by a \
            versioned machine type, and for mapped-ram files 9.0. It is left out when nothing tells. A clock that cannot be \
            read has a `readsNs` of null, and a `reason`.
            """
    )

    @Argument(
        help: ArgumentHelp("The file: a migration stream of QEMU, classic or mapped-ram.", valueName: "file"),
        completion: .file()
    )
    var file: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        do {
            let found = try Inspection(path: file)
            let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
            if json {
                // One object, also of a checkpoint whose clocks cannot be read: its sections can.
                terminal.print(String(decoding: try JSONText.encode(found.document), as: UTF8.self))
            } else {
                found.write(terminal)
            }
            if let failure = found.clockFailure {
                FailureReport(failure).write(asJSON: false)
                throw ExitCode(failure.status.rawValue)
            }
        } catch let failure as CommandFailure {
            FailureReport(failure).write(asJSON: json)
            throw ExitCode(failure.status.rawValue)
        }
    }
}
