import Glibc

/// Work that blocks, on a thread of its own: of those that tasks run on there is one for each processor, and they must not wait.
enum OwnThread {
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(FermataError) -> Value
    ) async throws(FermataError) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, FermataError>, Never>) in
            start {
                let result: Result<Value, FermataError>
                do throws(FermataError) {
                    result = .success(try work())
                } catch {
                    result = .failure(error)
                }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }

    /// Where the host gives no thread, the work is done at once: it holds up other tasks then, and does not get lost.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { pointer in
                if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            },
            work.toOpaque()
        )
        guard code != 0 else {
            pthread_detach(thread)
            return
        }
        work.release()
        body()
    }

    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
