import Glibc
import Synchronization

@testable import FermataTesting

/// A control instance of another release: at its socket each request gets the answer that one would give.
final class StrangeDaemon: Sendable {
    private let descriptor: Int32
    private let answers: [String: String]
    private let asked = Mutex<[String]>([])

    var requests: [String] { asked.withLock { $0 } }

    /// - Parameter answers: whole ones, by `METHOD /path`; behind an empty one the connection is closed. To all else, 404.
    init(at path: String, _ answers: [String: String]) throws(FermataError) {
        self.answers = answers
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(descriptor, 8) == 0 else {
            throw FermataError(code: "test", "no socket: errno \(errno)")
        }
        OwnThread.start { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { return }
                serve(connection)
                close(connection)
            }
        }
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }

    static func json(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
    }

    private func serve(_ connection: Int32) {
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A request's body comes with its head, in one piece: they are short.
        while request.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return }
            request += buffer.prefix(count)
        }
        let words = String(decoding: request, as: UTF8.self).split(separator: " ").prefix(2).joined(separator: " ")
        asked.withLock { $0.append(words) }
        let unknown = Self.json(404, #"{"code":"unknown-path","detail":"there is no such path","exitCode":1}"#)
        let bytes = Array(answers[words, default: unknown].utf8)
        _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
