import Glibc

/// Runs what blocks on a thread of its own: the threads that Swift's tasks share are as many as processors, and one that
/// sleeps in a system call holds up everybody else.
enum BlockingThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            let work = { @Sendable () -> Void in continuation.resume(returning: body()) }
            // No thread to be had: better late on this one than never.
            if !start(work) { work() }
        }
    }

    /// Begins at once, however busy the threads of tasks are.
    /// - Returns: false when there is no thread to be had; then nothing is done.
    @discardableResult
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let result = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            work.toOpaque()
        )
        if result != 0 { work.release() }
        return result == 0
    }
}
