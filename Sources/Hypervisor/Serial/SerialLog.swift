import Glibc
import HypervisorAPI
import Time

/// What comes out of a serial port, from the log that QEMU appends to: nobody is kept from the port's socket by it, and it goes on when
/// another process goes on with the machine.
struct SerialLog: Sendable {
    /// Of what was said before anybody read: some screens of it.
    static let first: UInt64 = 64 << 10
    private static let pause: Duration = .milliseconds(20)

    let path: String

    /// Waits until there is more, but not for ever, and not when its task is cancelled.
    /// - Parameter offset: the end of what has been read; nil: nothing, and of what is there the last is told.
    func next(from offset: UInt64?) async -> (end: UInt64, bytes: [UInt8]) {
        let deadline = ContinuousClock.now + SerialChunk.patience.duration
        var offset = offset
        while true {
            let (end, bytes) = read(from: offset)
            offset = end
            if !bytes.isEmpty || Task.isCancelled || ContinuousClock.now >= deadline { return (end, bytes) }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func read(from offset: UInt64?) -> (end: UInt64, bytes: [UInt8]) {
        // What is no file, or a link to one, is no log of ours.
        let file = OwnedDescriptor(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))
        return withExtendedLifetime(file) {
            var status = stat()
            // Whatever comes later will be the first of its log.
            guard file.number >= 0, fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                return (0, [])
            }
            let size = UInt64(clamping: status.st_size)
            var start = offset ?? (size > Self.first ? size - Self.first : 0)
            if start > size { start = 0 }
            guard start < size else { return (start, []) }
            let bytes = [UInt8](unsafeUninitializedCapacity: SerialChunk.mostBytes) { buffer, count in
                count = max(0, pread(file.number, buffer.baseAddress, buffer.count, off_t(clamping: start)))
            }
            return (start + UInt64(bytes.count), bytes)
        }
    }
}
