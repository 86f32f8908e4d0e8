import Glibc
import Testing
import Time

@testable import QMP

@Suite struct BrokenDownTimeTests {
    @Test func `every day from 1680 to 2260 is what the C library makes of it`() {
        for days in stride(from: -105_000, to: 105_000, by: 1) {
            var seconds = time_t(days * 86_400 + 86_399)
            var broken = tm()
            gmtime_r(&seconds, &broken)
            let time = BrokenDownTime(
                year: Int64(broken.tm_year),
                month: Int64(broken.tm_mon),
                day: Int64(broken.tm_mday),
                hour: Int64(broken.tm_hour),
                minute: Int64(broken.tm_min),
                second: Int64(broken.tm_sec)
            )
            guard time.instant == HostInstant(nanosecondsSinceEpoch: Int64(seconds) * 1_000_000_000) else {
                Issue.record("day \(days)")
                return
            }
        }
    }

    @Test func `nonsense is no time`() {
        let good = BrokenDownTime(year: 70, month: 0, day: 1, hour: 0, minute: 0, second: 0)
        #expect(good.instant == HostInstant(nanosecondsSinceEpoch: 0))
        for (field, value) in [
            (\BrokenDownTime.year, 500), (\.year, Int64.min), (\.month, 12), (\.month, -1), (\.day, 0), (\.day, 32),
            (\.hour, 24), (\.minute, 60), (\.second, 61), (\.second, .max),
        ] {
            var bad = good
            bad[keyPath: field] = value
            #expect(bad.instant == nil)
        }
    }
}
