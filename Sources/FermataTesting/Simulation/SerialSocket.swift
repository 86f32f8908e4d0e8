import Glibc

/// A moment at a serial port's socket. Blocks.
enum SerialSocket {
    private static let patience = 30

    static func send(_ text: String, to path: String, _ name: String) throws(FermataError) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket can be made for", name) }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw failure("nobody answers at the socket \(path) of", name) }
        var rest = Array(text.utf8)
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw failure("nothing more can be typed into", name) }
            rest.removeFirst(sent)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        // QEMU closes when it has read all; what the guest writes meanwhile is in the log, too.
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || count < 0 && errno == ECONNRESET { return }
            guard count > 0 || errno == EINTR else { throw failure("what was typed is not read by", name) }
        }
    }

    private static func failure(_ what: String, _ name: String) -> FermataError {
        FermataError(
            code: "serial-busy",
            "\(what) \(name) (\(String(cString: strerror(errno)))): it serves one connection at a time"
        )
    }
}
