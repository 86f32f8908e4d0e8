import Dispatch

/// Runs what blocks beside the threads that Swift's tasks share: those are as many as processors.
public enum ArchiveThread {
    public static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ArchiveError) -> Value
    ) async throws(ArchiveError) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, ArchiveError>, Never>) in
            // A queue of its own is a thread of its own.
            DispatchQueue(label: "fermata.archive").async {
                continuation.resume(returning: Result { () throws(ArchiveError) in try body() })
            }
        }
        return try result.get()
    }
}
