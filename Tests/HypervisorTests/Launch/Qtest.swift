import Glibc
import Testing

@testable import Hypervisor

/// QEMU's test protocol: reads and writes a machine's ports and memory, running or stopped, without any guest program.
/// Blocking, for tests only.
final class Qtest: Sendable {
    private let listener: OwnedDescriptor
    private let connection: OwnedDescriptor

    /// QEMU connects to it: `-qtest unix:PATH`, to be given before it starts.
    static func listen(_ path: String) throws -> OwnedDescriptor { try #require(ListeningSocket.open(at: path)) }

    init(_ listener: OwnedDescriptor) throws {
        self.listener = listener
        let number = accept(listener.number, nil, nil)
        try #require(number >= 0)
        connection = OwnedDescriptor(number)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    @discardableResult
    func ask(_ line: String) throws -> String {
        let bytes = Array((line + "\n").utf8)
        try #require(write(connection.number, bytes, bytes.count) == bytes.count)
        while true {
            var answer: [UInt8] = []
            var byte: UInt8 = 0
            while true {
                try #require(read(connection.number, &byte, 1) == 1)
                if byte == UInt8(ascii: "\n") { break }
                answer.append(byte)
            }
            let text = String(decoding: answer, as: UTF8.self)
            // Interrupt lines come in between.
            if text.hasPrefix("IRQ") { continue }
            try #require(text.hasPrefix("OK"), "\(line): \(text)")
            return String(text.dropFirst(3))
        }
    }

    func outb(_ port: Int, _ value: UInt8) throws {
        try ask("outb 0x\(String(port, radix: 16)) 0x\(String(value, radix: 16))")
    }

    func inb(_ port: Int) throws -> UInt8 {
        let text = try ask("inb 0x\(String(port, radix: 16))")
        return try #require(UInt8(text.dropFirst(2).suffix(2), radix: 16) ?? UInt8(text.dropFirst(2), radix: 16))
    }
}
