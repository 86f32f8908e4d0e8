import CShims
import FoundationEssentials
import Glibc
import Time

/// Which process it is, for as long as the host does not restart: a process id alone is given out again.
struct ProcessIdentity: Codable, Hashable, Sendable {
    var pid: Int32
    /// Field 22 of /proc/PID/stat: clock ticks from the host's boot to the process's start.
    var startTime: UInt64
    /// /proc/sys/kernel/random/boot_id: start times repeat from boot to boot.
    var bootID: String

    /// The process that has the id now; nil when there is none, or it has ended and only waits to be collected.
    static func current(of pid: Int32) -> ProcessIdentity? {
        guard let stat = ProcessStat(of: pid), !stat.hasEnded, let bootID = bootID() else { return nil }
        return ProcessIdentity(pid: pid, startTime: stat.startTime, bootID: bootID)
    }

    var isAlive: Bool { Self.current(of: pid) == self }

    /// A pidfd of exactly this process; nil when it has ended.
    func open() -> OwnedDescriptor? {
        let number = fermata_pidfd_open(pid)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(number)
        // In this order: once the descriptor is there the id cannot change hands behind it unnoticed.
        return isAlive ? descriptor : nil
    }

    private static func bootID() -> String? {
        ProcFile.read("/proc/sys/kernel/random/boot_id").map {
            String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
    }
}

extension ProcessIdentity {
    /// When it started, by the host's clock of now; to 10 ms, which is what the kernel keeps.
    var startInstant: HostInstant? {
        let ticksPerSecond = Int64(sysconf(Int32(_SC_CLK_TCK)))
        guard ticksPerSecond > 0, let ticks = Int64(exactly: startTime) else { return nil }
        var sinceBoot = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0 else { return nil }
        let uptime = Span.seconds(Int64(sinceBoot.tv_sec)) + Span(nanoseconds: Int64(sinceBoot.tv_nsec))
        let start =
            Span.seconds(ticks / ticksPerSecond) + .milliseconds(ticks % ticksPerSecond * 1_000 / ticksPerSecond)
        return HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns()) - (uptime - start)
    }
}
