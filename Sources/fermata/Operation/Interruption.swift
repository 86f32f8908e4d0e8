import HypervisorAPI
import NIOHTTP1
import UnixSignals

/// Ctrl-C while an operation runs: the first asks the daemon to call it off, the second leaves it to the daemon.
struct Interruption: Sendable {
    let client: ControlClient
    let operations: [OperationID]
    let title: String
    let terminal: Terminal

    func watching<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { tasks in
            let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
            tasks.addTask(operation: body)
            tasks.addTask {
                var asked = false
                for await _ in signals {
                    if asked { throw left }
                    asked = true
                    await askToCancel()
                }
                // Ends only when cancelled, as the body's value is there.
                throw CancellationError()
            }
            defer { tasks.cancelAll() }
            guard let value = try await tasks.next() else { throw CancellationError() }
            return value
        }
    }

    private func askToCancel() async {
        if terminal.canRewrite { terminal.rewrite("") }
        terminal.note("cancelling the \(title): undone if it is still possible; ctrl-C again leaves it to the daemon")
        for operation in operations {
            do {
                _ = try await client.send(.POST, "/v1/operations/\(operation)/cancel")
            } catch {
                terminal.note("\(operation) cannot be cancelled any more: \(error)")
            }
        }
    }

    private var left: CommandFailure {
        CommandFailure(
            .cancelled,
            code: "no-longer-waiting",
            "no longer waiting; the daemon calls the \(title) off (operation \(operations.map(\.text).joined(separator: ", "))), or ends it "
                + "where that is decided: 'fermata ps' tells what became of it"
        )
    }
}
