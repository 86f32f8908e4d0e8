import FoundationEssentials
import Glibc
import Synchronization

/// One request to a control instance at its UNIX socket, and its answer. Everything here blocks, but for ``hangUp()``.
final class ControlConnection: Sendable {
    /// The control instance cannot be reached, or has gone away: another may be there soon.
    struct Lost: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    private let reader = Mutex(AnswerReader())

    /// - Parameter path: at most 107 bytes.
    init(to path: String) throws(Lost) { descriptor = try Self.connected(to: path) }

    private static func connected(to path: String) throws(Lost) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Lost(description: "the path of the socket is too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // Not inherited: a process that a test starts would hold its simulations on.
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw lost("no socket can be made") }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let lost = lost("no control instance answers at \(path)")
            close(descriptor)
            throw lost
        }
        return descriptor
    }

    deinit { close(descriptor) }

    /// Asks; the answer comes by ``readAll()``, ``readLine()`` or ``readPiece()``.
    func ask(_ method: String, _ path: String, body: Data?, headers: [String: String] = [:]) throws(Lost) {
        var request = "\(method) \(path) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        if let body { request += "content-type: application/json\r\ncontent-length: \(body.count)\r\n" }
        var rest = Array("\(request)\r\n".utf8) + (body ?? Data())
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw Self.lost("the control instance takes no request") }
            rest.removeFirst(sent)
        }
    }

    /// - Returns: the whole answer.
    func readAll() throws(Lost) -> (status: Int, body: Data) {
        while try readMore() {}
        return reader.withLock { ($0.status ?? 0, Data($0.body)) }
    }

    /// - Returns: the first line of an answer that may go on, without its end; of one that is an error, all of it.
    func readLine() throws(Lost) -> (status: Int, line: Data) {
        while true {
            let (status, body) = reader.withLock { ($0.status, $0.body) }
            if status == 200, let end = body.firstIndex(of: UInt8(ascii: "\n")) { return (200, Data(body[..<end])) }
            guard try readMore() else { return (reader.withLock(\.status) ?? 0, Data(reader.withLock(\.body))) }
        }
    }

    /// - Returns: what came next of an answer that goes on; nil: it has ended. Of one that is an error, all of it.
    func readPiece() throws(Lost) -> (status: Int, bytes: [UInt8])? {
        while true {
            let (status, bytes) = reader.withLock { reader in
                (reader.status, reader.status == 200 ? reader.takeBody() : [])
            }
            if let status, !bytes.isEmpty { return (status, bytes) }
            guard try readMore() else {
                return reader.withLock { reader in
                    let rest = reader.takeBody()
                    return rest.isEmpty ? nil : (reader.status ?? 0, rest)
                }
            }
        }
    }

    /// Comes back when the answer has ended, or the connection, whichever way.
    func waitForEnd() {
        do throws(Lost) { while try readMore() {} } catch {}
    }

    /// Ends the connection, also under whoever reads from it.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// - Returns: false when the answer is complete.
    private func readMore() throws(Lost) -> Bool {
        if reader.withLock(\.isComplete) { return false }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count: Int
        repeat { count = recv(descriptor, &buffer, buffer.count, 0) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw Self.lost("the control instance has gone away") }
        do {
            return try reader.withLock { reader in
                if count > 0 { try reader.take(buffer.prefix(count)) } else { try reader.end() }
                return !reader.isComplete
            }
        } catch {
            throw Lost(description: "\(error)")
        }
    }

    private static func lost(_ what: String) -> Lost {
        Lost(description: "\(what) (\(String(cString: strerror(errno))))")
    }
}
