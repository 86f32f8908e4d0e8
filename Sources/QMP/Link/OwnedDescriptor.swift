import Glibc

/// A descriptor that closes when nobody refers to it any more: its number is not given out again before.
final class OwnedDescriptor: Sendable {
    let number: Int32

    init(taking number: Int32) {
        self.number = number
    }

    /// A close-on-exec duplicate; nil when the number is no open descriptor, or there are too many.
    init?(duplicating number: Int32) {
        let duplicate = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { return nil }
        self.number = duplicate
    }

    deinit {
        close(number)
    }
}
