import HypervisorRemote
import Logging
import NIOCore
import Synchronization

/// Says in the log that connections are refused, however many there are.
final class RefusalLog: Sendable {
    private let logger: Logger
    private let word = Mutex(RareWord())

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameter limit: of connections from one address.
    func refused(_ channel: any Channel, limit: Int) {
        guard let count = word.withLock({ $0.happens(at: .now) }) else { return }
        logger.warning(
            "refused connections",
            metadata: [
                "reason": "too-many-connections", "limit": "\(limit)", "count": "\(count)",
                "peer": "\(channel.remoteAddress?.description ?? "unknown")",
            ]
        )
    }
}
