import Time

/// A date and time of day in UTC, as `-rtc base=` writes it: whole seconds, Gregorian calendar.
struct CivilTime: Hashable, Sendable {
    var year: Int64
    var month: Int64
    var day: Int64
    /// Since midnight.
    var second: Int64

    init(_ instant: HostInstant) {
        let seconds = Self.floored(instant.nanosecondsSinceEpoch, by: 1_000_000_000)
        let days = Self.floored(seconds, by: 86_400)
        second = seconds - days * 86_400
        // Days to civil by 400-year eras that begin on the first of March (H. Hinnant's method).
        let shifted = days + 719_468
        let era = Self.floored(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2026-11-23T23:25:55`, or only the date and midnight.
    init?(text: String) {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        let date = parts[0].split(separator: "-", omittingEmptySubsequences: false).compactMap { Int64($0) }
        guard date.count == 3, (1...9999).contains(date[0]), (1...12).contains(date[1]), (1...31).contains(date[2])
        else { return nil }
        var time: [Int64] = [0, 0, 0]
        if parts.count == 2 {
            time = parts[1].split(separator: ":", omittingEmptySubsequences: false).compactMap { Int64($0) }
            guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2])
            else { return nil }
        }
        (year, month, day) = (date[0], date[1], date[2])
        second = time[0] * 3_600 + time[1] * 60 + time[2]
    }

    var instant: HostInstant {
        let marchYear = month <= 2 ? year - 1 : year
        let era = Self.floored(marchYear, by: 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let (nanoseconds, overflow) = (days * 86_400 + second).multipliedReportingOverflow(by: 1_000_000_000)
        return HostInstant(nanosecondsSinceEpoch: overflow ? (days < 0 ? .min : .max) : nanoseconds)
    }

    var text: String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let padded = String(repeating: "0", count: max(0, 4 - "\(year)".count)) + "\(year)"
        return "\(padded)-\(two(month))-\(two(day))T\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }

    private static func floored(_ value: Int64, by divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }
}
