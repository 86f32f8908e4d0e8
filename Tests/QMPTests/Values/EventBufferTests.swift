import Testing

@testable import QMP

@Suite struct EventBufferTests {
    private func event(_ name: String) -> QMPEvent { QMPEvent(name: name, timestamp: nil) }

    private func names(_ buffer: EventBuffer) -> [String] {
        var buffer = buffer
        var names: [String] = []
        while let event = buffer.take() { names.append(event.name) }
        return names
    }

    @Test func `the oldest gives way when it is full`() {
        var buffer = EventBuffer(capacity: 3)
        for name in ["A", "B", "C", "D", "E"] { #expect(buffer.store(event(name)) == true) }
        #expect(buffer.lost == 2)
        #expect(names(buffer) == ["C", "D", "E"])
    }

    @Test(arguments: ["STOP", "RESUME", "MIGRATION", "SHUTDOWN"])
    func `what operations wait for never gives way`(name: String) {
        var buffer = EventBuffer(capacity: 2)
        for name in ["A", name, "B", "C", name, "D", name] { #expect(buffer.store(event(name)) == true) }
        #expect(names(buffer).filter { $0 == name }.count == 3)
        #expect(buffer.lost == 4)
    }

    @Test func `a flood of what never gives way is refused in the end`() {
        var buffer = EventBuffer(capacity: 1)
        for _ in 0..<EventBuffer.mostUnread { #expect(buffer.store(event("STOP")) == true) }
        #expect(buffer.store(event("STOP")) == false)
        #expect(buffer.store(event("A")) == true)
        #expect(buffer.count == EventBuffer.mostUnread)
    }

    @Test func `reading makes room`() {
        var buffer = EventBuffer(capacity: 2)
        for index in 0..<5_000 {
            #expect(buffer.store(event("\(index)")) == true)
            #expect(buffer.take()?.name == "\(index)")
        }
        #expect(buffer.lost == 0)
        #expect(buffer.take() == nil)
    }
}
