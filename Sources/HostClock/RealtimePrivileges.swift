import CShims
import Glibc

/// What the kernel allowed the threads that keep deadlines.
public struct RealtimePrivileges: Hashable, Sendable, CustomStringConvertible {
    public enum Scheduling: Hashable, Sendable {
        case fifo(priority: Int32)
        /// The ordinary scheduler: a busy processor can delay a deadline by a time slice (about 3 ms) or more.
        case ordinary(errno: Int32)
    }

    public enum Memory: Hashable, Sendable {
        case locked
        /// Pages can be swapped out between arming and the instant.
        case unlocked(errno: Int32)
    }

    public var scheduling: Scheduling
    public var memory: Memory

    public init(scheduling: Scheduling, memory: Memory) {
        self.scheduling = scheduling
        self.memory = memory
    }

    /// Both granted.
    public var full: Bool {
        guard case .fifo = scheduling else { return false }
        return memory == .locked
    }

    /// What was not granted, what that costs, and what to do about it: a paragraph each, for reports.
    public var shortcomings: [String] { [schedulingShortcoming, memoryShortcoming].compactMap { $0 } }

    private var schedulingShortcoming: String? {
        guard case .ordinary(let code) = scheduling else { return nil }
        return """
            SCHED_FIFO: not permitted (\(errorText(code))); on a busy host instants can be late by some \
            milliseconds. Grant CAP_SYS_NICE or raise the limit on real-time priority (ulimit -r 50).
            """
    }

    private var memoryShortcoming: String? {
        guard case .unlocked(let code) = memory else { return nil }
        return """
            Locked memory: not permitted (\(errorText(code))); a host that swaps can be late. Grant CAP_IPC_LOCK \
            or raise the limit on locked memory (ulimit -l).
            """
    }

    /// Both, granted or not, for `doctor`.
    public var description: String {
        var first = schedulingShortcoming ?? ""
        if case .fifo(let priority) = scheduling { first = "SCHED_FIFO: granted (priority \(priority))." }
        return "\(first) \(memoryShortcoming ?? "Locked memory: granted.")"
    }

    /// Asks the kernel for both, for the calling thread and this process.
    ///
    /// Locking what the process has mapped takes a walk over all of it, so it happens once, not per thread; each
    /// thread locks its own stack besides.
    static func acquireForCallingThread(priority: Int32 = 50) -> RealtimePrivileges {
        let stack = fermata_lock_stack()
        let memory: Memory = processMemory == 0 && stack == 0 ? .locked : .unlocked(errno: -min(processMemory, stack))
        return RealtimePrivileges(scheduling: acquireFIFO(priority), memory: memory)
    }

    private static let processMemory: Int32 = fermata_lock_memory()

    private static func acquireFIFO(_ priority: Int32) -> Scheduling {
        var code = fermata_thread_fifo(priority)
        if code == 0 { return .fifo(priority: priority) }
        // An unprivileged user may have been given a lower one.
        let limit = fermata_fifo_limit()
        if code == -EPERM, limit > 0, limit < priority {
            code = fermata_thread_fifo(limit)
            if code == 0 { return .fifo(priority: limit) }
        }
        return .ordinary(errno: -code)
    }
}
