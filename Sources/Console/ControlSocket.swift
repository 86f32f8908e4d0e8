import Glibc

/// The UNIX socket of the API: only its user's, wherever it lies, and only one daemon's.
public struct ControlSocket: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// Nothing is there.
        case absent
        /// A daemon that has gone left it.
        case stale
        /// Somebody accepts connections.
        case live
    }

    /// Absolute.
    public let path: String

    /// - Throws: ``ControlSocketError/pathTooLong(_:)``: the kernel keeps at most 107 bytes of a socket's path.
    public init(path: String) throws(ControlSocketError) {
        guard path.utf8.count <= Self.longestPath else { throw .pathTooLong(path) }
        self.path = path
    }

    /// `sun_path` of `sockaddr_un`, without the NUL.
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Tries to connect, which a server notices only as a connection that ends at once.
    ///
    /// - Throws: when something other than a socket is there, or it is not ours to connect to.
    public func state() throws(ControlSocketError) -> State {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return .absent }
            throw .system("look at", path, errno)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("make a socket for", path, errno) }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return .live }
        switch errno {
        case ECONNREFUSED: return .stale
        case ENOENT: return .absent
        // The backlog is full: somebody listens, and is busy.
        case EAGAIN: return .live
        case let code: throw .system("connect to", path, code)
        }
    }

    /// Makes the path free for a new socket. A folder that is not there is made, for its user alone; one that is there is never
    /// changed, since it may be everybody's (`/run`, `/tmp`).
    ///
    /// - Throws: ``ControlSocketError/inUse(_:)`` when a daemon answers there; when somebody else could put a socket of
    ///   his own in its place.
    func claim() throws(ControlSocketError) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw .system("make the folder", folder, errno) }
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .system("look at", folder, errno) }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw .foreignFolder(folder) }
        // With the sticky bit others may add to the folder, but not remove or rename what is ours.
        guard status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0 else { throw .openFolder(folder) }
        if lstat(path, &status) == 0, status.st_uid != geteuid() { throw .foreignSocket(path) }
        switch try state() {
        case .absent: break
        case .live: throw .inUse(path)
        case .stale:
            if unlink(path) != 0, errno != ENOENT { throw .system("remove", path, errno) }
        }
    }

    /// Nobody but the user may connect, also where others may enter the folder.
    func restrict() throws(ControlSocketError) {
        guard chmod(path, 0o600) == 0 else { throw .system("make private", path, errno) }
    }

    func remove() { unlink(path) }
}
