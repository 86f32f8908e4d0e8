import Testing

@testable import HypervisorRemote

@Suite struct LineSplitterTests {
    @Test(arguments: 1...7) func `lines are the same in whatever pieces they come`(size: Int) {
        let bytes = Array("\na\nbcd\n\n\nefghijklm\nn".utf8)
        var lines = LineSplitter()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += lines.take(bytes[start..<min(start + size, bytes.count)]).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(found == ["a", "bcd", "efghijklm"])
        #expect(lines.pending == 1)
    }

    @Test func `a piece without an end is kept`() {
        var lines = LineSplitter()
        #expect(lines.take([UInt8](repeating: 65, count: 100)).isEmpty)
        #expect(lines.take([]).isEmpty)
        #expect(lines.pending == 100)
        #expect(lines.take([10, 66, 10]) == [[UInt8](repeating: 65, count: 100), [66]])
        #expect(lines.pending == 0)
    }
}
