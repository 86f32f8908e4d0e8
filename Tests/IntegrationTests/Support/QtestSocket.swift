import Glibc

/// QEMU's test interface: reads and writes of a machine's ports and memory, as its processor would make them.
///
/// Calls block for the microseconds that QEMU takes; one that gets no answer fails after some seconds.
final class QtestSocket: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("no socket: errno \(errno)") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            close(descriptor)
            throw TestSupportError("the path of a socket is too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard connected == 0 else {
            let code = errno
            close(descriptor)
            throw TestSupportError("cannot connect to \(path): errno \(code)")
        }
    }

    deinit {
        close(descriptor)
    }

    /// Sends one line and returns the words behind `OK`.
    @discardableResult
    func command(_ line: String) throws -> [Substring] {
        let bytes = Array("\(line)\n".utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw TestSupportError("qtest \(line): QEMU does not take it, errno \(errno)")
        }
        var answer: [UInt8] = []
        while answer.last != UInt8(ascii: "\n") {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { throw TestSupportError("qtest \(line): no answer, errno \(count == 0 ? 0 : errno)") }
            answer += chunk[..<count]
        }
        let words = String(decoding: answer.dropLast(), as: UTF8.self).split(separator: " ")
        guard words.first == "OK" else { throw TestSupportError("qtest \(line): \(words.joined(separator: " "))") }
        return Array(words.dropFirst())
    }

    private func number(_ line: String) throws -> UInt64 {
        guard let word = try command(line).first, let value = UInt64(word.dropFirst(2), radix: 16) else {
            throw TestSupportError("qtest \(line): no number came back")
        }
        return value
    }

    func inb(_ port: Int) throws -> UInt8 { UInt8(truncatingIfNeeded: try number("inb 0x\(hex(port))")) }
    func outb(_ port: Int, _ value: UInt8) throws { try command("outb 0x\(hex(port)) 0x\(hex(value))") }
    func readb(_ address: UInt64) throws -> UInt8 { UInt8(truncatingIfNeeded: try number("readb 0x\(hex(address))")) }
    func readw(_ address: UInt64) throws -> UInt16 { UInt16(truncatingIfNeeded: try number("readw 0x\(hex(address))")) }
    func readl(_ address: UInt64) throws -> UInt32 { UInt32(truncatingIfNeeded: try number("readl 0x\(hex(address))")) }
    func readq(_ address: UInt64) throws -> UInt64 { try number("readq 0x\(hex(address))") }
    func writeb(_ address: UInt64, _ value: UInt8) throws { try command("writeb 0x\(hex(address)) 0x\(hex(value))") }
    func writew(_ address: UInt64, _ value: UInt16) throws { try command("writew 0x\(hex(address)) 0x\(hex(value))") }
    func writel(_ address: UInt64, _ value: UInt32) throws { try command("writel 0x\(hex(address)) 0x\(hex(value))") }
    func writeq(_ address: UInt64, _ value: UInt64) throws { try command("writeq 0x\(hex(address)) 0x\(hex(value))") }

    /// Bytes of memory as they lie there.
    func read(_ address: UInt64, count: Int) throws -> [UInt8] {
        guard let word = try command("read 0x\(hex(address)) 0x\(hex(count))").first else {
            throw TestSupportError("qtest read: nothing came back")
        }
        var bytes: [UInt8] = []
        var digits = word.dropFirst(2)
        while digits.count >= 2, let byte = UInt8(digits.prefix(2), radix: 16) {
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        guard bytes.count == count else { throw TestSupportError("qtest read: \(bytes.count) bytes of \(count)") }
        return bytes
    }

    private func hex(_ number: some BinaryInteger) -> String { String(number, radix: 16) }
}
