import NIOCore
import Synchronization

/// The connections of one door, so that none of them can hold up the end of the daemon.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    func add(_ channel: any Channel) {
        let isLate = state.withLock {
            if !$0.isClosed { $0.channels[ObjectIdentifier(channel)] = channel }
            return $0.isClosed
        }
        if isLate { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    /// Now, whatever is under way in them.
    func close() {
        let channels = state.withLock {
            $0.isClosed = true
            return Array($0.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
