import Synchronization

/// The log file of a port of this host.
final class SerialLog: SerialSource {
    let path: String
    private let reader = Mutex(SerialLogReader())

    init(_ path: String) { self.path = path }

    func read() -> (unread: String, received: Int) {
        reader.withLock { reader in
            reader.readOn(path)
            return (reader.text.unread, reader.text.received)
        }
    }

    func skip(_ count: Int) { reader.withLock { $0.text.skip(count) } }

    var whereabouts: String { "all of it: \(path)" }
}
