import CShims
import Glibc

/// The host's counter of ticks, which a TCG guest's x86 TSC counts.
enum HostTicks {
    /// Ticks per second, measured once over half a second.
    static let hertz: Int64? = {
        guard fermata_host_counter() != 0 else { return nil }
        let (first, last) = (
            sample(),
            {
                usleep(500_000); return sample()
            }()
        )
        return Int64(Double(last.ticks - first.ticks) * 1e9 / Double(last.nanoseconds - first.nanoseconds))
    }()

    private static func sample() -> (ticks: UInt64, nanoseconds: Int64) {
        var best: (width: Int64, ticks: UInt64, nanoseconds: Int64) = (.max, 0, 0)
        for _ in 0..<100 {
            let before = monotonic()
            let ticks = fermata_host_counter()
            let after = monotonic()
            if after - before < best.width { best = (after - before, ticks, before + (after - before) / 2) }
        }
        return (best.ticks, best.nanoseconds)
    }

    private static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
