import Glibc
import Testing

@testable import QMP

@Suite struct OutboxTests {
    private func message(_ id: Int64, _ text: String, descriptors: Int = 0) -> Outbox.Entry {
        let duplicates = (0..<descriptors).compactMap { _ in OwnedDescriptor(duplicating: 0) }
        return .message(.init(id: id, bytes: Array(text.utf8), descriptors: duplicates))
    }

    /// Takes at most `room` bytes, then says EAGAIN.
    private final class Wire {
        var text = ""
        var room = Int.max
        var most = Int.max
        var descriptors: [Int] = []

        func send(_ bytes: UnsafeRawBufferPointer, _ numbers: [Int32]) -> Int {
            guard room > 0 else { return -Int(EAGAIN) }
            let count = min(bytes.count, room, most)
            room -= count
            text += String(decoding: bytes.prefix(count), as: UTF8.self)
            descriptors.append(numbers.count)
            return count
        }
    }

    @Test func `messages leave in order, whatever the socket takes at once`() {
        var outbox = Outbox()
        let wire = Wire()
        for id in 1...300 { outbox.append(message(Int64(id), "<\(id)>")) }
        wire.most = 2
        wire.room = 500
        #expect(outbox.flush(wire.send) == .full)
        wire.room = .max
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == (1...300).map { "<\($0)>" }.joined())
        #expect(outbox.isEmpty)
    }

    private func hold(_ id: Int64, _ lead: String) -> Outbox.Entry {
        .hold(.init(id: id, bytes: Array(lead.utf8)), retraction: Array("(never mind)".utf8))
    }

    @Test func `a hold comes into force behind its lead and stops all behind it until it is released`() {
        var outbox = Outbox()
        let wire = Wire()
        outbox.append(message(1, "a"))
        outbox.append(hold(2, "le"))
        outbox.append(message(3, "b"))
        outbox.append(hold(4, "ad"))
        wire.room = 2
        #expect(outbox.flush(wire.send) == .full)
        #expect(outbox.holder == nil)
        wire.room = .max
        #expect(outbox.flush(wire.send) == .held(id: 2))
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "ale")
        outbox.release(4)
        #expect(outbox.flush(wire.send) == .rested)
        outbox.release(2)
        #expect(outbox.flush(wire.send) == .held(id: 4))
        #expect(wire.text == "alebad")
    }

    @Test func `what a short write of the holder left over leaves first`() {
        var outbox = Outbox()
        let wire = Wire()
        outbox.append(hold(1, "lead"))
        outbox.append(message(2, "next"))
        #expect(outbox.flush(wire.send) == .held(id: 1))
        outbox.release(1)
        outbox.putFirst(.init(id: 1, bytes: Array("trigger".utf8), sent: 3))
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "leadggernext")
    }

    @Test func `a prepared command that is given up is retracted as far as it has left`() {
        for (room, text) in [(0, "next"), (2, "lead(never mind)next"), (4, "lead(never mind)next")] {
            var outbox = Outbox()
            let wire = Wire()
            wire.room = room
            outbox.append(hold(1, "lead"))
            outbox.append(message(2, "next"))
            #expect(outbox.flush(wire.send) == (room == 4 ? .held(id: 1) : .full))
            #expect(outbox.remove(1) == (room == 0 ? .notSent : .sent))
            wire.room = .max
            #expect(outbox.flush(wire.send) == .rested)
            #expect(wire.text == text)
        }
    }

    @Test func `what has not begun to leave can be taken out, what has cannot`() {
        var outbox = Outbox()
        let wire = Wire()
        outbox.append(message(1, "abc"))
        outbox.append(message(2, "def"))
        wire.room = 1
        #expect(outbox.flush(wire.send) == .full)
        #expect(outbox.remove(1) == .sent)
        #expect(outbox.remove(2) == .notSent)
        wire.room = .max
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "abc")
    }

    @Test func `descriptors leave with the first byte, and the next ones after the answer`() {
        var outbox = Outbox()
        let wire = Wire()
        outbox.append(message(1, "ab", descriptors: 1))
        outbox.append(message(2, "cd", descriptors: 2))
        outbox.append(message(3, "ef"))
        wire.most = 1
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "ab")
        #expect(wire.descriptors == [1, 0])
        outbox.answered(3)
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "ab")
        outbox.answered(1)
        #expect(outbox.flush(wire.send) == .rested)
        #expect(wire.text == "abcdef")
        #expect(wire.descriptors == [1, 0, 2, 0, 0, 0])
    }

    @Test func `a broken socket is reported`() {
        var outbox = Outbox()
        outbox.append(message(1, "a"))
        #expect(outbox.flush { _, _ in -Int(EPIPE) } == .failed(errno: EPIPE))
    }
}
