import Dispatch

/// Changes of one file, one after the other in the order in which they were asked for. They wait for a disk: so on a thread beside those that
/// Swift's tasks share, which are as many as processors, and without a lock that readers need.
struct WritingQueue: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: for people who look at threads.
    init(_ name: String) { queue = DispatchQueue(label: "fermata.\(name)") }

    func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            queue.async { continuation.resume(returning: Result { () throws(Failure) in try body() }) }
        }
        return try result.get()
    }
}
