import CShims
import Glibc

/// Opens sockets. Runs on a connection's own thread; `interrupt` gets readable when nobody wants the socket any more.
enum Dialer {
    static func connect(to address: QMPAddress, interrupt: Int32) throws(QMPError) -> OwnedDescriptor {
        do throws(QMPError) {
            switch address {
            case .unix(let path): return try connect(path: path, interrupt: interrupt)
            case .tcp(let host, let port): return try connect(host: host, port: port, interrupt: interrupt)
            }
        } catch {
            var error = error
            error.address = address
            throw error
        }
    }

    private static func connect(path: String, interrupt: Int32) throws(QMPError) -> OwnedDescriptor {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
        var folder: OwnedDescriptor?
        var short = path
        if path.utf8.count > capacity {
            // Through the folder's descriptor the address is short, whatever the path.
            let slash = path.lastIndex(of: "/")
            let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            let number = open(parent, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
            guard number >= 0 else { throw QMPError(.connectFailed(errno: errno)) }
            folder = OwnedDescriptor(taking: number)
            short = "/proc/self/fd/\(number)/" + (slash.map { String(path[path.index(after: $0)...]) } ?? path)
            guard short.utf8.count <= capacity else { throw QMPError(.connectFailed(errno: ENAMETOOLONG)) }
        }
        defer { withExtendedLifetime(folder) {} }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8) }
        return try withUnsafePointer(to: &address) { pointer throws(QMPError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer throws(QMPError) in
                try dial(AF_UNIX, pointer, socklen_t(MemoryLayout<sockaddr_un>.size), interrupt)
            }
        }
    }

    private static func connect(host: String, port: UInt16, interrupt: Int32) throws(QMPError) -> OwnedDescriptor {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let outcome = getaddrinfo(host, String(port), &hints, &list)
        guard outcome == 0 else { throw QMPError(.hostNotFound(String(cString: gai_strerror(outcome)))) }
        defer { freeaddrinfo(list) }
        var failure = QMPError(.hostNotFound("no address"))
        var entry = list
        while let current = entry?.pointee {
            do throws(QMPError) {
                let socket = try dial(current.ai_family, current.ai_addr, current.ai_addrlen, interrupt)
                var on: Int32 = 1
                setsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                setsockopt(socket.number, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
                return socket
            } catch {
                failure = error
                if error.code == .cancelled { break }
            }
            entry = current.ai_next
        }
        throw failure
    }

    /// The socket stays non-blocking: a prepared command's writer must never hang in it.
    private static func dial(
        _ family: Int32,
        _ address: UnsafePointer<sockaddr>?,
        _ length: socklen_t,
        _ interrupt: Int32
    ) throws(QMPError) -> OwnedDescriptor {
        let number = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw QMPError(.connectFailed(errno: errno)) }
        let socket = OwnedDescriptor(taking: number)
        while true {
            if Glibc.connect(number, address, length) == 0 { return socket }
            switch errno {
            case EINTR, EISCONN:
                if errno == EISCONN { return socket }
            case EINPROGRESS, EALREADY:
                try wait(for: number, interrupt: interrupt, milliseconds: -1)
                var error: Int32 = 0
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &size)
                guard error == 0 else { throw QMPError(.connectFailed(errno: error)) }
                return socket
            case EAGAIN:
                // The listener's backlog is full; nothing announces that there is room again.
                try wait(for: -1, interrupt: interrupt, milliseconds: 10)
            default:
                throw QMPError(.connectFailed(errno: errno))
            }
        }
    }

    private static func wait(for socket: Int32, interrupt: Int32, milliseconds: Int32) throws(QMPError) {
        var watched = [
            pollfd(fd: interrupt, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLOUT), revents: 0),
        ]
        while poll(&watched, nfds_t(watched.count), milliseconds) < 0, errno == EINTR {}
        if watched[0].revents != 0 { throw QMPError(.cancelled) }
    }
}
