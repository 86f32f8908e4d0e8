import Time

/// C's `struct tm`: years from 1900, months from 0. A guest can set its clock to any nonsense.
struct BrokenDownTime {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64

    /// As UTC; nil for what no clock shows.
    var instant: HostInstant? {
        // 1678 to 2261 is what nanoseconds in 64 bits reach.
        guard (-222...361).contains(year), (0...11).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let seconds = daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second
        return HostInstant(nanosecondsSinceEpoch: seconds * 1_000_000_000)
    }

    /// Counted in years that begin in March, so that the leap day is a year's last one.
    private var daysSinceEpoch: Int64 {
        let shifted = (month + 10) % 12
        let marchYear = year + 1900 - (month < 2 ? 1 : 0)
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        // 719468 days lie between 0000-03-01 and 1970-01-01; 153 days are any five months from March on.
        return marchYear * 365 + leapDays + (shifted * 153 + 2) / 5 + day - 1 - 719_468
    }
}
