import Glibc

/// Looks into a UNIX socket's receive queue, and changes it, without ever blocking.
enum SocketQueue {
    /// SO_PEEK_OFF of asm-generic/socket.h: where MSG_PEEK begins, in bytes of the queue; it moves on with each peek.
    private static let peekOffset: Int32 = 42
    /// More than the kernel lets anybody put into a UNIX socket's queue by default, and than a frame can be.
    private static let chunk = 1 << 20
    private static let peekNow = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
    private static let sendNow = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)

    /// What became of an earlier frame of ours to another host; each is told once, and says nothing of what has arrived.
    private static let refusals: Set<Int32> = [
        ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EMSGSIZE, EACCES, ENOPROTOOPT,
    ]

    /// All that can be read, left where it is: whoever reads the socket finds it as if nobody had looked.
    /// - Returns: datagrams one by one, or a stream's bytes as one piece; nil with errno set when the socket cannot be read.
    static func peek(_ socket: OwnedDescriptor, datagrams: Bool) -> [[UInt8]]? {
        guard setPeekOffset(socket, 0) else { return nil }
        defer { _ = setPeekOffset(socket, -1) }
        var frames: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            let count = recv(socket.number, &buffer, buffer.count, peekNow)
            if count > 0 {
                frames.append(Array(buffer[..<count]))
            } else if count == 0 {
                // The other end is gone; an empty datagram cannot be told from it and carries no frame.
                break
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                break
            } else if errno != EINTR, !refusals.contains(errno) {
                return nil
            }
        }
        if datagrams { return frames }
        let all = Array(frames.joined())
        return all.isEmpty ? [] : [all]
    }

    /// Reads and drops all that is there.
    static func drain(_ socket: OwnedDescriptor) {
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            let count = recv(socket.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EINTR) { return }
        }
    }

    /// - Returns: whether all of it went in.
    static func write(_ frames: [[UInt8]], into socket: OwnedDescriptor, datagrams: Bool) -> Bool {
        for frame in frames {
            var sent = 0
            while sent < frame.count {
                let count = frame[sent...].withUnsafeBytes {
                    send(socket.number, $0.baseAddress, $0.count, sendNow)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += datagrams ? frame.count : count
            }
        }
        return true
    }

    /// Makes room for at least that much in what this end sends. The kernel doubles what it is given and has its own limit.
    static func reserve(_ bytes: Int, in socket: OwnedDescriptor) {
        var current: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.number, SOL_SOCKET, SO_SNDBUF, &current, &length)
        // Each piece costs its bookkeeping too: 768 bytes for the smallest.
        var wanted = Int32(clamping: bytes * 2 + 65_536)
        guard wanted > current else { return }
        if setsockopt(socket.number, SOL_SOCKET, sndbufForce, &wanted, length) != 0 {
            setsockopt(socket.number, SOL_SOCKET, SO_SNDBUF, &wanted, length)
        }
    }

    /// Makes room for at least that much in what this end receives.
    static func reserveIncoming(_ bytes: Int32, in socket: OwnedDescriptor) {
        var wanted = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(socket.number, SOL_SOCKET, rcvbufForce, &wanted, length) != 0 {
            setsockopt(socket.number, SOL_SOCKET, SO_RCVBUF, &wanted, length)
        }
    }

    /// SO_RCVBUFFORCE of asm-generic/socket.h.
    private static let rcvbufForce: Int32 = 33
    /// SO_SNDBUFFORCE, for those who may exceed the host's limit.
    private static let sndbufForce: Int32 = 32

    private static func setPeekOffset(_ socket: OwnedDescriptor, _ value: Int32) -> Bool {
        var value = value
        return setsockopt(socket.number, SOL_SOCKET, peekOffset, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
