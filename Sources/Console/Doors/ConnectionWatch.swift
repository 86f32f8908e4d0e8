import Hummingbird
import NIOCore

/// Ends a connection when whoever uses it may no longer: requests and answers may take hours.
enum ConnectionWatch {
    /// How soon.
    private static let interval = TimeAmount.seconds(1)

    /// - Returns: to be cancelled when the answer has been given.
    static func start(on channel: any Channel, while isGood: @escaping @Sendable () -> Bool) -> RepeatedTask {
        channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { watch in
            // It looks for the connection's end by itself: what waits to be told of it stays until then, for each request that ever came.
            guard channel.isActive else { return watch.cancel() }
            if !isGood() { channel.close(promise: nil) }
        }
    }
}

extension ResponseBody {
    /// Cancels the watch when all of it has been written.
    func ending(_ watch: RepeatedTask) -> ResponseBody {
        guard contentLength == nil else {
            watch.cancel()
            return self
        }
        return ResponseBody { writer in
            defer { watch.cancel() }
            try await write(writer)
        }
    }
}
