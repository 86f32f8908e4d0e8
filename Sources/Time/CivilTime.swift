/// A date and time of day of the proleptic Gregorian calendar, without a zone.
///
/// Days are reckoned by Howard Hinnant's `days_from_civil` and `civil_from_days`: years begin in March, so that the leap day is a
/// year's last, and 400 of them are 146 097 days.
public struct CivilTime: Hashable, Sendable {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The UTC date and time, `seconds` after 1970-01-01T00:00:00.
    public init(secondsSinceEpoch seconds: Int64) {
        let (days, ofDay) = (seconds.floorDivided(by: 86_400), Int(seconds.modulo(86_400)))
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted.modulo(146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = ofDay / 3_600
        minute = ofDay / 60 % 60
        second = ofDay % 60
    }

    /// Seconds since 1970-01-01T00:00:00, were this UTC. Of years to ±9999 and of other parts near their ranges.
    public var secondsSinceEpoch: Int64 {
        daysSinceEpoch * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// Whether each part lies by itself within its range; a month's days are not counted.
    public var isInRange: Bool {
        (1...9999).contains(year) && (1...12).contains(month) && (1...31).contains(day) && (0...23).contains(hour)
            && (0...59).contains(minute) && (0...59).contains(second)
    }

    /// 0 is Sunday.
    public var weekday: Int { Int((daysSinceEpoch + 4).modulo(7)) }

    static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var daysSinceEpoch: Int64 {
        let marchYear = Int64(month > 2 ? year : year - 1)
        let era = marchYear.floorDivided(by: 400)
        let yearOfEra = marchYear.modulo(400)
        let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * marchMonth + 2) / 5 + Int64(day) - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
