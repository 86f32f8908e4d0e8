import Glibc
import QMP
import Time

/// A server that plays QEMU by a script, for what the real one does not do on demand.
final class ScriptedMonitor: Sendable {
    let address: QMPAddress
    private let folder: TemporaryFolder?
    private let listener: Int32

    /// Listens at once; the script runs for the first client only.
    init(overTCP: Bool = false, script: @escaping @Sendable (ScriptedPeer) -> Void) throws {
        if overTCP {
            (listener, address) = try Self.listenTCP()
            folder = nil
        } else {
            let folder = TemporaryFolder()
            self.folder = folder
            let path = folder.file("monitor")
            listener = try Self.listenUNIX(path)
            address = .unix(path)
        }
        let listener = listener
        TestThread.start {
            let socket = accept(listener, nil, nil)
            if socket >= 0 { script(ScriptedPeer(socket: socket)) }
        }
    }

    deinit {
        // Wakes an accept that nobody came for.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    func connect(timeout: Int64 = 30) async throws -> QMPConnection {
        try await QMPConnection.connect(to: address, timeout: .seconds(timeout))
    }

    struct Failure: Error {
        let errno: Int32
    }

    private static func listenUNIX(_ path: String) throws -> Int32 {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 1) == 0 else { throw Failure(errno: errno) }
        return listener
    }

    private static func listenTCP() throws -> (Int32, QMPAddress) {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let ready = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard ready else { throw Failure(errno: errno) }
        return (listener, .tcp(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port)))
    }
}
