import Dispatch
import Synchronization

/// Bytes on their way between a task and a thread that blocks, a few at a time: whoever is ahead waits for the other.
///
/// One side writes and the other reads; one of them is a task (``send(_:)``, ``receive()``), the other a thread (``write(_:)``,
/// ``read()``).
public final class ByteChannel: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var bytes = 0
        var isFinished = false
        var isCancelled = false
        /// Wakes the task, while it waits.
        var task: (@Sendable () -> Void)?
        var threadWaits = false
    }

    private enum Taken: Sendable {
        case chunk([UInt8])
        case end
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let thread = DispatchSemaphore(value: 0)

    /// - Parameter capacity: bytes from which on the writer waits.
    public init(capacity: Int = 2 << 20) { self.capacity = capacity }

    /// Nothing more will be written.
    public func finish() {
        state.withLock { $0.isFinished = true }
        wake()
    }

    /// Either side has gone: the other one is told at once, and what is under way is dropped.
    public func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.chunks = []
            state.bytes = 0
        }
        wake()
    }

    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    // MARK: - The task's side

    /// - Returns: whether it was taken; false once the channel or the task is cancelled.
    public func send(_ chunk: [UInt8]) async -> Bool { await waiting { self.put(chunk, into: &$0) } }

    /// - Returns: nil at the end, and once the channel or the task is cancelled.
    public func receive() async -> [UInt8]? { Self.bytes(of: await waiting(Self.take)) }

    private func waiting<Value: Sendable>(_ attempt: @escaping @Sendable (inout State) -> Value?) async -> Value {
        await withTaskCancellationHandler {
            while true {
                let value: Value? = await withCheckedContinuation { continuation in
                    let value = state.withLock { state -> Value? in
                        if let value = attempt(&state) { return value }
                        state.task = { continuation.resume(returning: nil) }
                        return nil
                    }
                    if let value { continuation.resume(returning: value) }
                }
                if let value {
                    wake()
                    return value
                }
            }
        } onCancel: {
            cancel()
        }
    }

    // MARK: - The thread's side

    /// - Returns: whether it was taken; false once the channel is cancelled.
    public func write(_ chunk: [UInt8]) -> Bool { blocking { self.put(chunk, into: &$0) } }

    /// - Returns: nil at the end, and once the channel is cancelled.
    public func read() -> [UInt8]? { Self.bytes(of: blocking(Self.take)) }

    private func blocking<Value: Sendable>(_ attempt: (inout State) -> Value?) -> Value {
        while true {
            let value = state.withLock { state -> Value? in
                let value = attempt(&state)
                state.threadWaits = value == nil
                return value
            }
            if let value {
                wake()
                return value
            }
            thread.wait()
        }
    }

    // MARK: - Both

    /// - Returns: nil when there is no room.
    private func put(_ chunk: [UInt8], into state: inout State) -> Bool? {
        if state.isCancelled { return false }
        // One that is larger than the channel goes in alone.
        guard state.bytes == 0 || state.bytes + chunk.count <= capacity else { return nil }
        guard !chunk.isEmpty else { return true }
        state.chunks.append(chunk)
        state.bytes += chunk.count
        return true
    }

    /// - Returns: nil when there is nothing yet.
    private static func take(from state: inout State) -> Taken? {
        if state.isCancelled { return .end }
        guard !state.chunks.isEmpty else { return state.isFinished ? .end : nil }
        let chunk = state.chunks.removeFirst()
        state.bytes -= chunk.count
        return .chunk(chunk)
    }

    private static func bytes(of taken: Taken) -> [UInt8]? {
        if case .chunk(let chunk) = taken { chunk } else { nil }
    }

    private func wake() {
        let (task, threadWaits) = state.withLock { state in
            defer { (state.task, state.threadWaits) = (nil, false) }
            return (state.task, state.threadWaits)
        }
        task?()
        if threadWaits { thread.signal() }
    }
}
