import ArgumentParser
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import NIOHTTP1

/// `--dry-run`: asks every host whether it could, shows what each says, and begins nothing.
struct RehearsalText {
    let session: Session
    /// What was asked for, where that is more than the first thing that would be done.
    var title: String?

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
        let what = title ?? "\(report.kind.rawValue) of \(name)"
        session.terminal.print("\(what) \(report.ready ? "could be done" : "would be refused"); nothing was begun")
    }
}
