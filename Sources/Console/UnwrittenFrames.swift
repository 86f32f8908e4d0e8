import NIOCore
import Synchronization

/// What one client is still to be told. While it takes what it was given, the rest gathers here, and goes out in one piece.
final class UnwrittenFrames: Sendable {
    private struct State {
        var bytes = ByteBuffer()
        var count = 0
    }

    private let state = Mutex(State())
    private let (gathered, gathering) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Returns: how many frames wait now.
    @discardableResult
    func add(_ frame: EventFrame) -> Int {
        let count = state.withLock { state in
            state.bytes.writeBytes(frame.bytes)
            state.count += 1
            return state.count
        }
        gathering.yield()
        return count
    }

    /// What was added before is given out still.
    func finish() { gathering.finish() }

    /// All that waits, each time that something does. For one reader.
    var pieces: AsyncCompactMapSequence<AsyncStream<Void>, ByteBuffer> { gathered.compactMap { self.take() } }

    private func take() -> ByteBuffer? {
        let bytes = state.withLock { state in
            defer { state = State() }
            return state.bytes
        }
        return bytes.readableBytes > 0 ? bytes : nil
    }
}
