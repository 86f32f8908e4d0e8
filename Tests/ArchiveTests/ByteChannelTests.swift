import Testing

@testable import Archive

@Suite struct ByteChannelTests {
    @Test func `bytes come in order, from a thread to a task and back`() async throws {
        let (there, back) = (ByteChannel(capacity: 100), ByteChannel(capacity: 100))
        async let echo: Void = ArchiveThread.run { () throws(ArchiveError) in
            while let chunk = there.read() { guard back.write(chunk) else { return } }
            back.finish()
        }
        async let sent = { () async -> [UInt8] in
            var sent: [UInt8] = []
            for index in 0..<2_000 {
                let chunk = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index % 300)
                sent += chunk
                #expect(await there.send(chunk))
            }
            there.finish()
            return sent
        }()
        var received: [UInt8] = []
        while let chunk = await back.receive() { received += chunk }
        try await echo
        #expect(received == (await sent))
    }

    @Test func `who is ahead waits`() async throws {
        let channel = ByteChannel(capacity: 10)
        #expect(await channel.send([1, 2, 3, 4, 5, 6]))
        async let second = channel.send([7, 8, 9, 10, 11])
        try await ArchiveThread.run { () throws(ArchiveError) in
            #expect(channel.read() == [1, 2, 3, 4, 5, 6])
            #expect(channel.read() == [7, 8, 9, 10, 11])
        }
        #expect(await second)
    }

    @Test func `cancelled, nobody waits any more`() async throws {
        let full = ByteChannel(capacity: 1)
        #expect(await full.send([1]))
        let sender = Task { await full.send([2]) }
        let empty = ByteChannel()
        let receiver = Task { await empty.receive() }
        let blocked = Task { try await ArchiveThread.run { () throws(ArchiveError) in empty.read() } }
        sender.cancel()
        receiver.cancel()
        #expect(await !sender.value)
        #expect(await receiver.value == nil)
        #expect(try await blocked.value == nil)
        #expect(full.isCancelled && empty.isCancelled)
        #expect(await !full.send([3]))
    }
}
