import ArgumentParser
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import NIOHTTP1

/// `--dry-run`: asks every host whether it could, shows what each says, and begins nothing.
struct RehearsalText {
    let session: Session

    /// - Parameter path: of the operation.
    func perform(_ path: String, body: some Encodable) async throws {
        let client = try await session.client()
        let answer = try Received<RehearsalReport>(
            try await client.send(.POST, "\(path)?dryRun=true", body: try JSONText.encode(body))
        )
        session.show(answer) { print($0) }
        if !answer.value.ready { throw ExitCode(Int32(answer.value.exitCode)) }
    }

    private func print(_ report: RehearsalReport) {
        var table = Table(.left("HOST"), .left("READY"), .right("NEEDS"), .left("MACHINES"))
        for host in report.hosts {
            table.add(
                Table.Cell(host.host, .strong),
                Table.Cell(host.ready ? "yes" : "no"),
                Table.Cell(host.required.map { TimeText.span($0) } ?? ""),
                Table.Cell(host.machines.joined(separator: ", "))
            )
        }
        session.terminal.print(table)
        for host in report.hosts {
            for reason in host.reasons { session.terminal.print("\(host.host): \(reason)") }
        }
        for note in report.notes { session.terminal.print("note: \(note)") }
        let name = report.checkpoint.map { "\(report.simulation)@\($0)" } ?? report.simulation
        session.terminal.print(
            report.ready
                ? "\(report.kind.rawValue) of \(name) could be done; nothing was begun"
                : "\(report.kind.rawValue) of \(name) would be refused; nothing was begun"
        )
    }
}
