import CShims
import Glibc
import HypervisorAPI
import Time

extension ProcessIdentity {
    /// Waits on a thread of its own, without polling.
    /// - Returns: whether it has ended; false: the time is over (or the task was cancelled), and it lives.
    func waitForExit(timeout: Span) async -> Bool {
        // Not `open()`: a process whose first thread has ended looks like a zombie while its other threads still end.
        let number = fermata_pidfd_open(pid)
        guard number >= 0 else { return true }
        let descriptor = OwnedDescriptor(number)
        guard ProcessStat(of: pid)?.startTime == startTime else { return true }
        let ended = await DescriptorWait.untilReadable(descriptor, timeout: timeout)
        if ended { Self.collect(descriptor) }
        return ended
    }

    /// SIGTERM, and after the grace time SIGKILL; only ever to this process, not to a later one with its id.
    /// - Throws: when it does not end even then (it hangs in the kernel), or may not be signalled.
    func terminate(grace: Span = .seconds(2)) async throws(HypervisorError) {
        guard let descriptor = open() else {
            _ = await waitForExit(timeout: grace)
            return
        }
        for (signal, patience) in [(SIGTERM, grace), (SIGKILL, Span.seconds(10))] {
            let result = fermata_pidfd_signal(descriptor.number, signal)
            guard result == 0 || result == -ESRCH else {
                throw HypervisorError(
                    code: "process-not-ended",
                    message: "process \(pid) cannot be ended: \(String(cString: strerror(-result)))"
                )
            }
            // Not the caller's task: a cancelled caller must not leave the process half ended.
            let wait = Task.detached { await DescriptorWait.untilReadable(descriptor, timeout: patience) }
            if await wait.value {
                Self.collect(descriptor)
                return
            }
        }
        throw HypervisorError(
            code: "process-not-ended",
            message:
                "process \(pid) has not ended 10 s after SIGKILL; it hangs in the kernel, look at /proc/\(pid)/stack"
        )
    }

    /// An ended child stays as a zombie until its parent asks how it ended. Others' children are left to their parents.
    private static func collect(_ descriptor: OwnedDescriptor) {
        var result = fermata_exit()
        _ = fermata_pidfd_reap(descriptor.number, &result)
    }
}
