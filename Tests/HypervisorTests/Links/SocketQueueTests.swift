import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

@Suite("SocketQueue, LinkTraffic, StreamFraming")
struct SocketQueueTests {
    private func pair(_ kind: LinkSpec.Kind) throws -> LinkPair {
        try LinkPair(LinkSpec(name: "l", kind: kind, ends: [.init(machine: "a"), .init(machine: "b")]))
    }

    @Test("looking takes nothing out, and frames keep their borders")
    func peekFrames() throws {
        let pair = try pair(.dgram)
        let frames = (1...50).map { [UInt8](repeating: UInt8($0), count: $0 * 29) }
        #expect(SocketQueue.write(frames, into: pair.ends[1], datagrams: true))
        #expect(SocketQueue.peek(pair.ends[0], datagrams: true) == frames)
        #expect(SocketQueue.peek(pair.ends[0], datagrams: true) == frames)
        var buffer = [UInt8](repeating: 0, count: 4096)
        for frame in frames {
            let count = recv(pair.ends[0].number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            #expect(Array(buffer[..<max(count, 0)]) == frame)
        }
        #expect(SocketQueue.peek(pair.ends[0], datagrams: true) == [])
    }

    @Test("a stream is one piece, however it was written, and a reader starts at its beginning")
    func peekStream() throws {
        let pair = try pair(.serial)
        for value in 0..<200 { #expect(SocketQueue.write([[UInt8(value)]], into: pair.ends[1], datagrams: false)) }
        let all = (0..<200).map { UInt8($0) }
        #expect(SocketQueue.peek(pair.ends[0], datagrams: false) == [all])
        var byte: UInt8 = 7
        #expect(recv(pair.ends[0].number, &byte, 1, Int32(MSG_DONTWAIT)) == 1)
        #expect(byte == 0)
        #expect(SocketQueue.peek(pair.ends[0], datagrams: false) == [Array(all.dropFirst())])
    }

    @Test("an end whose other end is gone can still be looked at")
    func orphan() throws {
        var numbers: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0)
        let reader = OwnedDescriptor(numbers[0])
        #expect(write(numbers[1], [1, 2, 3] as [UInt8], 3) == 3)
        close(numbers[1])
        #expect(SocketQueue.peek(reader, datagrams: false) == [[1, 2, 3]])
    }

    @Test("full is told, not waited for")
    func full() throws {
        let pair = try pair(.serial)
        #expect(!SocketQueue.write([[UInt8](repeating: 0, count: 64 << 20)], into: pair.ends[1], datagrams: false))
        SocketQueue.drain(pair.ends[0])
        #expect(SocketQueue.peek(pair.ends[0], datagrams: false) == [])
    }

    private func checkpoint(_ sizes: [Int]) -> LinkCheckpoint {
        LinkCheckpoint(
            link: "l",
            towards: "b",
            file: CheckpointFile(role: .link, path: "l", bytes: 0, sha256: ""),
            frameSizes: sizes
        )
    }

    @Test("traffic survives its file", arguments: [[], [[1]], [[1, 2], [3], [4, 5, 6]]] as [[[UInt8]]])
    func file(_ frames: [[UInt8]]) throws {
        let traffic = LinkTraffic(link: "l", kind: .dgram, towards: "b", frames: frames)
        #expect(try LinkTraffic(checkpoint(traffic.frameSizes), kind: .dgram, bytes: traffic.bytes) == traffic)
    }

    @Test(
        "sizes that do not fit the file are refused",
        arguments: [[4], [2], [1, 1], [-1, 4], [0, 3], [.max, 3], [3, .min]]
    )
    func damaged(_ sizes: [Int]) {
        #expect(throws: HypervisorError.self) { try LinkTraffic(checkpoint(sizes), kind: .dgram, bytes: [1, 2, 3]) }
    }

    private func frame(_ length: Int) -> [UInt8] {
        [0, 0, UInt8(length >> 8), UInt8(length & 255)] + (0..<length).map { UInt8(truncatingIfNeeded: 200 + $0 * 3) }
    }

    @Test("whole frames stay as they are")
    func wholeFrames() {
        let bytes = frame(60) + frame(1514) + frame(64)
        #expect(StreamFraming.wholeFrames(in: bytes) == bytes)
        #expect(StreamFraming.wholeFrames(in: []) == [])
    }

    @Test("half a frame at the end is dropped")
    func cutEnd() {
        #expect(StreamFraming.wholeFrames(in: frame(60) + frame(100).prefix(50)) == frame(60))
        #expect(StreamFraming.wholeFrames(in: frame(60) + [0, 0]) == frame(60))
    }

    @Test("the rest of a frame at the beginning is dropped", arguments: [1, 4, 5, 30, 63])
    func cutBeginning(_ from: Int) {
        let bytes = Array(frame(60)[from...]) + frame(300) + frame(70)
        #expect(StreamFraming.wholeFrames(in: bytes) == frame(300) + frame(70))
    }

    @Test("what is no frame at all is dropped")
    func noise() {
        #expect(StreamFraming.wholeFrames(in: [UInt8](repeating: 0xff, count: 5000)) == [])
    }
}
