extension HostInstant {
    /// Reads an ISO 8601 date with a time: `2026-12-31T23:59:50Z`, `2026-12-31 23:59:50.25+01:00`.
    ///
    /// `T` or a space between date and time; seconds may be left out; up to 9 digits of fraction; `Z` or an offset
    /// `±hh:mm`, `±hhmm`, `±hh`. Without either it is this host's local time, as people mean it who type an instant;
    /// a local time that comes twice or never, when clocks are put back or forward, is refused. Leap seconds are
    /// refused, since CLOCK_REALTIME has no number for them.
    public init(parsing text: String) throws(TimeTextError) {
        var reader = TextReader(text)
        let civil = try Self.civilTime(of: &reader, in: text)
        let fraction = try Self.fraction(of: &reader, in: text)
        let seconds = try Self.seconds(of: civil, zoneFrom: &reader, in: text)
        guard reader.atEnd else { throw Self.error(text, "something follows the time") }
        guard let nanoseconds = Self.nanoseconds(seconds: seconds, fraction: fraction) else {
            throw Self.error(text, "it is outside the years 1677 to 2262, which nanoseconds in 64 bits cover")
        }
        self.init(nanosecondsSinceEpoch: nanoseconds)
    }

    private static func civilTime(of reader: inout TextReader, in text: String) throws(TimeTextError) -> CivilTime {
        guard let year = reader.number(ofDigits: 4), reader.take("-"),
            let month = reader.number(ofDigits: 2), reader.take("-"),
            let day = reader.number(ofDigits: 2)
        else { throw error(text, "it does not begin with a date") }
        guard reader.take("T") || reader.take("t") || reader.take(" ") else {
            throw error(text, reader.atEnd ? "there is no time of day" : "after the date comes T or a space")
        }
        guard let hour = reader.number(ofDigits: 2), reader.take(":"), let minute = reader.number(ofDigits: 2) else {
            throw error(text, "after the date comes a time of day")
        }
        var second = 0
        if reader.take(":") {
            guard let number = reader.number(ofDigits: 2) else { throw error(text, "seconds have two digits") }
            second = number
        }
        guard 1...12 ~= month else { throw error(text, "there is no month \(month)") }
        guard day >= 1, day <= CivilTime.daysInMonth(month, of: year) else {
            throw error(text, "that month has no day \(day)")
        }
        guard hour <= 23 else { throw error(text, "there is no hour \(hour)") }
        guard minute <= 59 else { throw error(text, "there is no minute \(minute)") }
        guard second <= 59 else {
            throw error(
                text,
                second == 60 ? "leap seconds have no number of their own" : "there is no second \(second)"
            )
        }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    /// Nanoseconds behind the whole second.
    private static func fraction(of reader: inout TextReader, in text: String) throws(TimeTextError) -> Int64 {
        guard reader.take(".") || reader.take(",") else { return 0 }
        guard let digits = reader.digits() else { throw error(text, "there is no digit behind the point") }
        guard digits.count <= 9, let number = Int64(Substring(digits)) else {
            throw error(text, "a fraction has up to 9 digits")
        }
        return (digits.count..<9).reduce(number) { value, _ in value * 10 }
    }

    private static func seconds(
        of civil: CivilTime,
        zoneFrom reader: inout TextReader,
        in text: String
    ) throws(TimeTextError) -> Int64 {
        if reader.take("Z") || reader.take("z") { return civil.secondsSinceEpoch }
        let east = reader.take("+")
        if east || reader.take("-") {
            guard let hours = reader.number(ofDigits: 2) else {
                throw error(text, "an offset from UTC is written ±hh:mm")
            }
            var minutes = 0
            let colon = reader.take(":")
            if colon || !reader.atEnd {
                guard let number = reader.number(ofDigits: 2) else {
                    throw error(text, "an offset from UTC is written ±hh:mm")
                }
                minutes = number
            }
            guard hours <= 23, minutes <= 59 else { throw error(text, "there is no such offset from UTC") }
            let offset = Int64(hours * 3_600 + minutes * 60)
            return civil.secondsSinceEpoch - (east ? offset : -offset)
        }
        guard reader.atEnd else { throw error(text, "after the time comes Z or an offset ±hh:mm, or nothing") }
        let moments = LocalZone.moments(of: civil)
        guard let moment = moments.first else {
            throw error(text, "clocks here skip that local time; write Z or an offset")
        }
        if moments.count > 1 { throw error(text, "clocks here show that local time twice; write Z or an offset") }
        return moment
    }

    private static func nanoseconds(seconds: Int64, fraction: Int64) -> Int64? {
        // Before the epoch the whole second lies below what the fraction then adds: near the lower end of the range the
        // product alone would not fit, although the sum does.
        let (whole, part) = seconds < 0 ? (seconds + 1, fraction - 1_000_000_000) : (seconds, fraction)
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return nil }
        let (sum, overflowOfSum) = product.addingReportingOverflow(part)
        return overflowOfSum ? nil : sum
    }

    private static func error(_ text: String, _ problem: String) -> TimeTextError {
        TimeTextError(
            text: text,
            problem: problem,
            expected: """
                a date with a time such as 2026-12-31T23:59:50Z, 2026-12-31T23:59:50.250+01:00 or, in this host's \
                local time, 2026-12-31T23:59:50
                """
        )
    }
}

extension HostInstant: CustomStringConvertible {
    /// ISO 8601 in UTC with as many digits of fraction as it takes: `2026-12-31T23:59:50.25Z`.
    public var description: String {
        let fraction = UInt64(nanosecondsSinceEpoch.modulo(1_000_000_000))
        let civil = CivilTime(secondsSinceEpoch: wholeSeconds)
        return "\(civil.text)\(decimalFraction(fraction, digits: 9))Z"
    }
}
