import Testing

@testable import FermataTesting

@Suite struct EventReaderTests {
    private typealias Event = EventReader.Event

    private static let text =
        ":\n\nid: 7\nevent: output\ndata: YQ==\n\nevent: state\ndata: {\"a\": \"b: c\"}\n\n\n:beat\n\nid: 9\ndata:x\n\nid: 10\n"

    @Test(arguments: 1...9) func `events are the same in whatever pieces they come`(_ size: Int) throws {
        var reader = EventReader()
        let bytes = Array(Self.text.utf8)
        var events: [Event] = []
        for begin in stride(from: 0, to: bytes.count, by: size) {
            let found = reader.take(bytes[begin..<min(begin + size, bytes.count)])
            events += try #require(found)
        }
        #expect(
            events == [
                Event(id: "7", name: "output", data: "YQ=="),
                Event(id: "7", name: "state", data: "{\"a\": \"b: c\"}"),
                Event(id: "9", name: "", data: "x"),
            ]
        )
    }

    @Test func `a line without an end is not kept for ever`() {
        var reader = EventReader()
        let piece = [UInt8](repeating: 0x41, count: 1 << 20)
        var count = 0
        while reader.take(piece) != nil, count < 100 { count += 1 }
        #expect(count == EventReader.longestLine >> 20)
    }

    @Test func `bytes that are no text are no reason to fall`() {
        var reader = EventReader()
        #expect(reader.take([0xff, 0xfe, 0x0a, 0x0a, 0x3a, 0x0a, 0x00, 0x0a, 0x0a]) == [])
    }
}
