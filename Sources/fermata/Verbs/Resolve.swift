import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import NIOHTTP1

struct Resolve: Verb {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "End an operation whose outcome is not known: ask its hosts again, or decide it.",
        discussion: """
            A daemon does this by itself, again and again. A start or resume waits for every host: whether machines \
            went on there decides. Of one that will not answer for long, --commit keeps the machines that run, and \
            --rollback ends them; the host is told as soon as it answers. A suspend or checkpoint without a decision \
            can only be rolled back: its machines run on. Ends with 0 when it has ended as you decided.
            """
    )

    @Argument(help: ArgumentHelp("The simulation.", valueName: "sim"), completion: NameCompletion.simulations.kind)
    var target: CheckpointName

    @Flag(help: "Machines that were started or resumed stay.")
    var commit = false

    @Flag(help: "As before: started machines end, stopped ones run on.")
    var rollback = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try target.requireSimulation()
        if commit, rollback { throw ValidationError("Give --commit or --rollback, not both.") }
    }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        let simulation = target.simulation
        let path = "/v1/operations?simulation=\(ControlClient.escaped(simulation))"
        let operations = try Received<OperationsAnswer>(try await client.send(.GET, path)).value.operations
        guard let open = operations.last(where: { $0.phase != .finished }) else {
            _ = try await client.send(.GET, "/v1/simulations/\(simulation)")
            throw CommandFailure(
                .refused,
                code: "nothing-to-resolve",
                "every operation of \(simulation) has ended; 'fermata ps' tells how it is"
            )
        }
        let decision = commit ? "commit" : rollback ? "rollback" : nil
        let body = try JSONText.encode(decision.map { ["decision": $0] } ?? [:])
        let report = try Received<OperationReport>(
            try await client.send(.POST, "/v1/operations/\(open.operation)/settle", body: Data(body))
        )
        session.show(report) { _ in }
        if rollback, report.value.outcome == .failed {
            if !session.global.json {
                session.terminal.print("\(report.value.kind.rawValue) of \(simulation) is rolled back, on every host")
            }
            return
        }
        try OperationText(report.value).finish(session)
    }
}
