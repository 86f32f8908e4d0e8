import Glibc
import Synchronization
import Testing

@testable import Hypervisor

@Suite("HeldStream")
struct HeldStreamTests {
    /// More than a pipe takes.
    fileprivate static let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }

    private final class Writing: Sendable {
        let written = Atomic(0)

        /// Writes all into the stream, on a thread of its own, and lets go of it.
        /// - Returns: errno of what failed, or 0.
        func start(into stream: HeldStream) throws -> Task<Int32, Never> {
            let input = try #require(stream.takeInput())
            return Task { await BlockingThread.run { self.write(to: input) } }
        }

        private func write(to input: OwnedDescriptor) -> Int32 {
            var position = 0
            while position < HeldStreamTests.bytes.count {
                // Not more than a pipe takes: such a write ends only when all of it is read.
                let rest = HeldStreamTests.bytes[position...].prefix(4096)
                let count = rest.withUnsafeBytes { Glibc.write(input.number, $0.baseAddress, $0.count) }
                guard count > 0 else { return errno }
                position += count
                written.store(position, ordering: .relaxed)
            }
            return 0
        }

        /// Until the writer has begun.
        func wait() async throws {
            while written.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test("what is written waits until the stream is opened, and then is in the file as it was")
    func opened() async throws {
        let scratch = try ScratchFolder()
        let stream = try HeldStream(into: scratch.file("state"))
        let writing = Writing()
        let writer = try writing.start(into: stream)
        #expect(stream.takeInput() == nil)
        try await writing.wait()
        #expect(try FileDigest.size(of: scratch.file("state")) == 0)
        #expect(writing.written.load(ordering: .relaxed) < Self.bytes.count)
        stream.open()
        #expect(await writer.value == 0)
        #expect(await stream.failure() == nil)
        #expect(ProcFile.read(scratch.file("state")) == Self.bytes)
    }

    @Test("the writer of a stream that is closed fails rather than waits, also when it is opened afterwards")
    func closed() async throws {
        signal(SIGPIPE, SIG_IGN)
        let scratch = try ScratchFolder()
        let stream = try HeldStream(into: scratch.file("state"))
        let writing = Writing()
        let writer = try writing.start(into: stream)
        try await writing.wait()
        stream.close()
        #expect(await writer.value == EPIPE)
        stream.open()
        #expect(await stream.failure() == nil)
    }

    @Test("a file that is there is never written over")
    func present() throws {
        let scratch = try ScratchFolder()
        scratch.write([1], to: "state")
        #expect(throws: (any Error).self) { try HeldStream(into: scratch.file("state")) }
    }
}
