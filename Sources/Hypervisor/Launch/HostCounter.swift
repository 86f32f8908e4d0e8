import CShims
import Glibc

/// The host's counter of ticks, which a TCG guest's x86 TSC counts.
enum HostCounter {
    /// Ticks per second, measured once against CLOCK_MONOTONIC_RAW, to a few millionths; nil where there is no counter.
    static func hertz() async -> Int64? { await BlockingThread.run { measured } }

    private static let measured: Int64? = measure()

    private struct Sample {
        var ticks: UInt64
        var nanoseconds: Int64
    }

    private static func measure() -> Int64? {
        guard fermata_host_counter() != 0 else { return nil }
        let first = sample()
        usleep(100_000)
        let last = sample()
        let elapsed = last.nanoseconds - first.nanoseconds
        guard elapsed > 0, last.ticks > first.ticks else { return nil }
        return Int64(Double(last.ticks - first.ticks) * 1e9 / Double(elapsed))
    }

    /// The tightest of many tries: in most nobody comes between the two readings.
    private static func sample() -> Sample {
        var best = (width: Int64.max, sample: Sample(ticks: 0, nanoseconds: 0))
        for _ in 0..<50 {
            let before = now()
            let ticks = fermata_host_counter()
            let after = now()
            if after - before < best.width {
                best = (after - before, Sample(ticks: ticks, nanoseconds: before + (after - before) / 2))
            }
        }
        return best.sample
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
