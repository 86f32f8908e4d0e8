import Glibc
import Synchronization

/// A socket that says something to everybody who connects, and then hangs up or never says anything again.
final class Talker: Sendable {
    private let descriptor: Int32
    private let connections = Mutex<[Int32]>([])

    init(at path: String, says text: String, hangsUp: Bool) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, bound == 0, listen(descriptor, 16) == 0 else {
            throw CLIError("no socket at \(path): errno \(errno)")
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let listening = descriptor
        // Lives as long as the socket listens; a task, since it is one at a time and says a line.
        Task.detached { [weak self] in
            while true {
                let connection = accept(listening, nil, nil)
                if connection < 0 {
                    guard errno == EAGAIN || errno == EINTR else { return }
                    guard self != nil else { return }
                    try? await Task.sleep(for: .milliseconds(5))
                    continue
                }
                let bytes = Array(text.utf8)
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                if hangsUp { close(connection) } else { self?.connections.withLock { $0.append(connection) } }
            }
        }
    }

    /// Everybody who still waits is hung up on.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        for connection in connections.withLock({ $0 }) { close(connection) }
    }

    deinit { close(descriptor) }
}
