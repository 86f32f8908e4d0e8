import NIOCore
import Synchronization

/// The connections of one door, so that none of them can hold up the end of the daemon, and nobody takes all that there may be.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var places: [PeerPlace: Int] = [:]
        var isClosed = false
    }

    /// From one address.
    let most: Int
    private let state = Mutex(State())

    init(most: Int = .max) { self.most = most }

    /// - Returns: false: there are as many from its address as there may be, and this one is closed.
    @discardableResult
    func add(_ channel: any Channel) -> Bool {
        let place = PeerPlace(channel.remoteAddress)
        let (isLate, isTooMany) = state.withLock { state in
            guard !state.isClosed else { return (true, false) }
            if let place {
                guard state.places[place, default: 0] < most else { return (false, true) }
                state.places[place, default: 0] += 1
            }
            state.channels[ObjectIdentifier(channel)] = channel
            return (false, false)
        }
        guard !isLate, !isTooMany else {
            channel.close(promise: nil)
            return !isTooMany
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.channels[ObjectIdentifier(channel)] = nil
                guard let place, let count = state.places[place] else { return }
                state.places[place] = count > 1 ? count - 1 : nil
            }
        }
        return true
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
