import CShims
import Glibc
import Testing

@Suite struct DescriptorShimTests {
    private func pair() -> (Int32, Int32) {
        var sockets: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &sockets) == 0)
        return (sockets[0], sockets[1])
    }

    private func identity(_ descriptor: Int32) -> UInt {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt(status.st_ino) : 0
    }

    @Test func `descriptors arrive with the bytes, as other numbers for the same file, closed on exec`() {
        let (left, right) = pair()
        defer { _ = (close(left), close(right)) }
        let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(fermata_send_fds(left, "hello", 5, [file, left], 2) == 5)
        var bytes = [UInt8](repeating: 0, count: 16)
        var received: [Int32] = [-1, -1, -1]
        var count = 0
        #expect(fermata_recv_fds(right, &bytes, 16, &received, 3, &count) == 5)
        #expect(count == 2)
        #expect(identity(received[0]) == identity(file) && received[0] != file)
        #expect(identity(received[1]) == identity(left))
        for descriptor in received[..<2] {
            #expect(fcntl(descriptor, F_GETFD, 0) & FD_CLOEXEC != 0)
            close(descriptor)
        }
    }

    @Test func `more descriptors than fit are an error and none stays open`() {
        let (left, right) = pair()
        defer { _ = (close(left), close(right)) }
        #expect(fermata_send_fds(left, "x", 1, [left, left, left], 3) == 1)
        var byte: UInt8 = 0
        var received: [Int32] = [-1]
        var count = 0
        #expect(fermata_recv_fds(right, &byte, 1, &received, 1, &count) == -Int(EMSGSIZE))
        #expect(count == 0)
        #expect(fcntl(received[0], F_GETFD, 0) == -1)
    }

    @Test func `misuse and closed ends are error numbers, not signals`() {
        let (left, right) = pair()
        var byte: UInt8 = 0
        var count = 0
        #expect(fermata_send_fds(left, &byte, 0, [left], 1) == -Int(EINVAL))
        #expect(fermata_send_fds(left, &byte, 1, [Int32](repeating: left, count: 254), 254) == -Int(EINVAL))
        #expect(fermata_recv_fds(left, &byte, 1, nil, 0, &count) == -Int(EAGAIN))
        close(right)
        #expect(fermata_send_fds(left, &byte, 1, nil, 0) == -Int(EPIPE))
        #expect(fermata_recv_fds(left, &byte, 1, nil, 0, &count) == 0)
        close(left)
        #expect(fermata_send_fds(-1, &byte, 1, nil, 0) == -Int(EBADF))
    }

    @Test func `the peer of a socket pair is ourselves, and a file has no peer`() {
        let (left, right) = pair()
        defer { _ = (close(left), close(right)) }
        #expect(fermata_peer_pid(left) == getpid())
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(fermata_peer_pid(file) == -ENOTSOCK)
    }

    @Test func `another process's descriptor can be duplicated`() {
        let pidfd = fermata_pidfd_open(getpid())
        #expect(pidfd >= 0)
        let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        let duplicate = fermata_pidfd_getfd(pidfd, file)
        #expect(duplicate >= 0 && duplicate != file)
        #expect(identity(duplicate) == identity(file))
        #expect(fermata_pidfd_getfd(pidfd, 1_000_000) == -EBADF)
        for descriptor in [duplicate, file, pidfd] { close(descriptor) }
    }
}
