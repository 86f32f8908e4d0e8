import Dispatch

/// Runs what blocks beside the threads that Swift's tasks share: those are as many as processors.
public enum ArchiveThread {
    public static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            // A queue of its own is a thread of its own.
            DispatchQueue(label: "fermata.archive").async {
                continuation.resume(returning: Result { () throws(Failure) in try body() })
            }
        }
        return try result.get()
    }
}
