import HypervisorAPI
import Logging
import NIOCore
import Synchronization

/// The grants of one agent's life, and who is connected because of one.
final class GrantBook: Sendable {
    /// Of one reader: one that copies has a few at a time.
    static let mostConnections = 16
    /// A reader without a grant is told so first.
    private static let farewell = TimeAmount.seconds(1)

    private struct Readers {
        var connections: [String: [ObjectIdentifier: any Channel]] = [:]
        /// By what is said of whom.
        var words: [String: RareWord] = [:]
    }

    private let grants = Mutex(ReadGrants())
    private let readers = Mutex(Readers())
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// - Returns: the ticket, of 256 random bits.
    func add(_ order: GrantOrder) -> String {
        var generator = SystemRandomNumberGenerator()
        let ticket = (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        grants.withLock { $0.add(order, ticket: ticket, now: .now) }
        return ticket
    }

    func end(_ ticket: String) {
        grants.withLock { $0.end(ticket) }
        dismissReaders()
    }

    /// Whether any host may read anything.
    var areOpen: Bool { grants.withLock { $0.areOpen(now: .now) } }

    func hasReader(_ name: String) -> Bool { grants.withLock { $0.hasReader(name, now: .now) } }

    /// - Parameter reader: one that may read something.
    /// - Returns: false when it has as many connections as it may have.
    func admits(_ reader: String, on channel: any Channel) -> Bool {
        let isAdmitted = readers.withLock { readers in
            guard readers.connections[reader, default: [:]].count < Self.mostConnections else { return false }
            readers.connections[reader, default: [:]][ObjectIdentifier(channel)] = channel
            return true
        }
        guard isAdmitted else {
            tell(reader, "too-many-connections", "has \(Self.mostConnections) connections here already")
            return false
        }
        channel.closeFuture.whenComplete { [self] _ in
            readers.withLock { readers in
                readers.connections[reader]?[ObjectIdentifier(channel)] = nil
                if readers.connections[reader]?.isEmpty == true { readers.connections[reader] = nil }
            }
        }
        return true
    }

    /// - Throws: `grant-refused`. Why is for the log: who guesses learns nothing.
    func check(_ reader: String, reading file: FilePlace, with ticket: String?) throws(HypervisorError) {
        let obstacle = grants.withLock { $0.obstacle(to: reader, reading: file, with: ticket, now: .now) }
        guard let obstacle else { return }
        tell(reader, "no-grant", "asks for \(file.path): \(obstacle)", about: obstacle)
        dismissReaders()
        throw HypervisorError(
            code: "grant-refused",
            message: "host \(reader) may not read this here; the log of this host's agent says why"
        )
    }

    /// Those that may read nothing any more.
    private func dismissReaders() {
        for (reader, channels) in readers.withLock({ $0.connections }) where !hasReader(reader) {
            for channel in channels.values {
                channel.eventLoop.scheduleTask(in: Self.farewell) { [self] in
                    // It may have been given another one meanwhile.
                    if !hasReader(reader) { channel.close(promise: nil) }
                }
            }
        }
    }

    /// - Parameter subject: what is said of that reader seldom, however often it happens; nil: the reason.
    private func tell(_ reader: String, _ reason: String, _ what: String, about subject: String? = nil) {
        let count = readers.withLock {
            $0.words["\(reader): \(subject ?? reason)", default: RareWord()].happens(at: .now)
        }
        guard let count else { return }
        logger.warning(
            "refused a peer",
            metadata: ["reason": "\(reason)", "detail": "hypervisor \(reader) \(what)", "count": "\(count)"]
        )
    }
}
