import ArgumentParser
import FoundationEssentials
import GuestClock
import MigrationStream

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a QEMU checkpoint file, ours or not: its sections and its clocks.",
        discussion: "Needs no daemon. Ends with 6 when the file is damaged or not a checkpoint."
    )

    @Argument(help: ArgumentHelp("The file: a migration stream of QEMU, classic or mapped-ram.", valueName: "file"))
    var file: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        do {
            let found = try Inspection(path: file)
            let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
            if json {
                terminal.print(String(decoding: try JSONText.encode(found.document), as: UTF8.self))
            } else {
                found.write(terminal)
            }
            if let failure = found.clockFailure { throw failure }
        } catch let failure as CommandFailure {
            FailureReport(failure).write(asJSON: json)
            throw ExitCode(failure.status.rawValue)
        }
    }
}
