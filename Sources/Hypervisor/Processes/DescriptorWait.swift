import Glibc
import Time

/// Waits for a descriptor outside Swift's shared threads; ends early when the task is cancelled.
enum DescriptorWait {
    /// - Returns: false when the time was over or the task was cancelled.
    static func untilReadable(_ descriptor: OwnedDescriptor, timeout: Span) async -> Bool {
        let deadline = MonotonicDeadline(after: timeout)
        guard let wake = OwnedDescriptor.pipe() else {
            return await BlockingThread.run { poll([descriptor.number], until: deadline) == [true] }
        }
        return await withTaskCancellationHandler {
            await BlockingThread.run { poll([descriptor.number, wake.read.number], until: deadline).first == true }
        } onCancel: {
            var byte: UInt8 = 1
            _ = write(wake.write.number, &byte, 1)
        }
    }

    /// Blocks until one of the descriptors can be read or has been hung up, or the deadline passes.
    /// - Returns: for each, whether it is so.
    static func poll(_ numbers: [Int32], until deadline: MonotonicDeadline) -> [Bool] {
        var entries = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = Glibc.poll(&entries, nfds_t(entries.count), deadline.pollMilliseconds)
            if count > 0 { return entries.map { $0.revents != 0 } }
            if count < 0, errno != EINTR { return numbers.map { _ in false } }
            if deadline.hasPassed { return numbers.map { _ in false } }
        }
    }
}
