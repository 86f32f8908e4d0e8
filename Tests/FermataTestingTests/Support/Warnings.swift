import Synchronization
import Testing

/// What a test warns of, which is then not told to whoever runs it.
enum Warnings {
    static func of(_ body: @Sendable () async throws -> Void) async throws -> [String] {
        let test = try #require(Test.current)
        let seen = Mutex<[String]>([])
        let trait: IssueHandlingTrait = .compactMapIssues { issue in
            guard issue.severity == .warning else { return issue }
            seen.withLock { $0 += issue.comments.map(\.rawValue) }
            return nil
        }
        try await trait.provideScope(for: test, testCase: Test.Case.current, performing: body)
        return seen.withLock { $0 }
    }
}
