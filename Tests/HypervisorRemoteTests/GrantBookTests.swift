import HypervisorAPI
import NIOCore
import NIOEmbedded
import RecordedLog
import Synchronization
import Testing

@testable import HypervisorRemote

/// What another host, which may read something, can take of an agent.
struct GrantBookTests {
    private static let file = FilePlace(folder: "/home/checkpoints/lab/one", path: "machines/bmc/ram")

    private final class Connections {
        private final class Ended: Sendable { let count = Mutex(0) }

        let loop = EmbeddedEventLoop()
        private let ended = Ended()

        func make() -> EmbeddedChannel {
            let channel = EmbeddedChannel(loop: loop)
            channel.closeFuture.whenComplete { [ended] _ in ended.count.withLock { $0 += 1 } }
            return channel
        }

        var hasEnded: Int { ended.count.withLock { $0 } }
    }

    @Test func aReaderHasSoManyConnectionsAndAnotherOneHasItsOwn() async throws {
        let log = RecordedLog()
        let book = GrantBook(logger: log.logger)
        let connections = Connections()
        for reader in ["near", "third"] { _ = book.add(GrantOrder(reader: reader, files: [Self.file])) }
        let admitted = (0..<GrantBook.mostConnections).map { _ in connections.make() }
        for channel in admitted { #expect(book.admits("near", on: channel)) }
        for _ in 0..<100 { #expect(!book.admits("near", on: connections.make())) }
        #expect(book.admits("third", on: connections.make()))
        #expect(log.lines.count { $0.contains("too-many-connections") && $0.contains("near") } == 1, "\(log.lines)")
        admitted[0].close(promise: nil)
        connections.loop.run()
        #expect(book.admits("near", on: connections.make()) && !book.admits("near", on: connections.make()))
    }

    @Test func whoseGrantHasEndedIsLetGoOf() async throws {
        let log = RecordedLog()
        let book = GrantBook(logger: log.logger)
        let connections = Connections()
        let tickets = (0..<2).map { _ in book.add(GrantOrder(reader: "near", files: [Self.file])) }
        for _ in 0..<3 { #expect(book.admits("near", on: connections.make())) }
        book.end(tickets[0])
        connections.loop.advanceTime(by: .seconds(10))
        #expect(connections.hasEnded == 0, "it has another grant")
        book.end(tickets[1])
        connections.loop.run()
        #expect(connections.hasEnded == 0, "what it is being told comes first")
        // Given another one in that second, it stays.
        let third = book.add(GrantOrder(reader: "near", files: [Self.file]))
        connections.loop.advanceTime(by: .seconds(10))
        #expect(connections.hasEnded == 0)
        book.end(third)
        connections.loop.advanceTime(by: .seconds(1))
        #expect(connections.hasEnded == 3)
    }

    @Test func whoGuessesIsLoggedSeldom() async throws {
        let log = RecordedLog()
        let book = GrantBook(logger: log.logger)
        for _ in 0..<1000 {
            #expect(throws: HypervisorError.self) { try book.check("near", reading: Self.file, with: "guess") }
            #expect(throws: HypervisorError.self) { try book.check("near", reading: Self.file, with: nil) }
        }
        #expect(log.lines.count { $0.contains("no-grant") } == 2, "\(log.lines.count)")
    }
}
