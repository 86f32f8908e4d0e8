import HypervisorAPI
import Logging
import Synchronization

/// The grants of one agent's life.
final class GrantBook: Sendable {
    private let grants = Mutex(ReadGrants())
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

    func end(_ ticket: String) { grants.withLock { $0.end(ticket) } }

    /// Whether any host may read anything.
    var areOpen: Bool { grants.withLock { $0.areOpen(now: .now) } }

    func hasReader(_ name: String) -> Bool { grants.withLock { $0.hasReader(name, now: .now) } }

    /// - Throws: `grant-refused`. Why is for the log: who guesses learns nothing.
    func check(_ reader: String, reading file: FilePlace, with ticket: String?) throws(HypervisorError) {
        let obstacle = grants.withLock { $0.obstacle(to: reader, reading: file, with: ticket, now: .now) }
        guard let obstacle else { return }
        logger.warning(
            "refused a peer",
            metadata: ["reason": "no-grant", "detail": "hypervisor \(reader) asks for \(file.path): \(obstacle)"]
        )
        throw HypervisorError(
            code: "grant-refused",
            message: "host \(reader) may not read this here; the log of this host's agent says why"
        )
    }
}
