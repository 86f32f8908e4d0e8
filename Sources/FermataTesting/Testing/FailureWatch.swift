import Synchronization
import Testing

/// Sees whether a test fails: by what is thrown, and by issues that are recorded and let it go on.
final class FailureWatch: Sendable {
    private let sawIssue = Mutex(false)

    /// - Returns: what came of the body, and whether the test has failed in it.
    func run<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async -> (result: Result<Value, any Error>, hasFailed: Bool) {
        let outcome = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
        do {
            try await watched {
                do {
                    let value = try await body()
                    outcome.withLock { $0 = .success(value) }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
            }
        } catch {
            outcome.withLock { $0 = .failure(error) }
        }
        let result = outcome.withLock { $0 }
        let hasThrown = if case .failure(let error) = result { !Self.isCalledOff(error) } else { false }
        return (result, hasThrown || sawIssue.withLock { $0 })
    }

    /// Only the runner's own traits are told of issues; in a test, one of them does it for us.
    private func watched(_ body: @Sendable () async throws -> Void) async throws {
        guard let test = Test.current else { return try await body() }
        let trait: IssueHandlingTrait = .compactMapIssues { issue in
            if issue.isFailure { self.sawIssue.withLock { $0 = true } }
            return issue
        }
        try await trait.provideScope(for: test, testCase: Test.Case.current, performing: body)
    }

    /// What `Test.cancel` throws has no public name; a test that calls itself off has not failed.
    private static func isCalledOff(_ error: any Error) -> Bool {
        String(reflecting: type(of: error)) == "Testing.SkipInfo"
    }
}
