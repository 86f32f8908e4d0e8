import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI

/// Starts an operation, tells how it goes on until its result, and calls it off at ctrl-C.
struct OperationFollower {
    let session: Session
    let client: ControlClient
    /// `suspend of lab`: for sentences.
    let title: String

    /// - Returns: the result; already printed with `--json`.
    func run(_ path: String, body: some Encodable) async throws -> OperationReport {
        let started = try Received<OperationStarted>(
            try await client.begin(path, body: try JSONText.encode(body))
        )
        let operation = started.value.operation
        return try await interruption(of: [operation]).watching { try await follow(operation, started.value.events) }
    }

    func interruption(of operations: [OperationID]) -> Interruption {
        Interruption(client: client, operations: operations, title: title, terminal: session.terminal)
    }

    /// - Parameter path: of the operation's events.
    func follow(_ operation: OperationID, _ path: String) async throws -> OperationReport {
        var progress = ProgressLine(terminal: session.terminal, title: title, enabled: !session.global.json)
        defer { progress.clear() }
        do {
            for try await line in try await client.lines(path) {
                if session.global.json {
                    session.terminal.print(String(decoding: line, as: UTF8.self))
                    guard try Received<EventName>(line).value.isResult else { continue }
                }
                let event = try Received<OperationEvent>(line).value
                if case .result(let report) = event { return report }
                progress.show(event)
            }
        } catch let failure as CommandFailure where failure.problem.code == "daemon-unreachable" {
            throw lost(operation)
        }
        throw lost(operation)
    }

    private func lost(_ operation: OperationID) -> CommandFailure {
        CommandFailure(
            .unknown,
            code: "daemon-lost",
            "the daemon went away before it told how the \(title) (operation \(operation)) ended: 'fermata ps' starts a "
                + "new one, which finishes or undoes it, and shows the outcome"
        )
    }
}

/// Which event a line is, where nothing else of it is needed: of a fleet there are tens of thousands.
private struct EventName: Decodable {
    var event: String

    var isResult: Bool { event == "result" }
}
