import Glibc

/// A file descriptor that is closed when its last owner lets go of it.
final class OwnedDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Both ends of a close-on-exec pipe; nil when there are no descriptors left.
    static func pipe() -> (read: OwnedDescriptor, write: OwnedDescriptor)? {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        // pipe2 does not reach Swift; no child of ours gets what fermata_spawn is not told to pass on.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
    }
}
