extension Span {
    /// Reads a duration as people write it: `250us`, `40ms`, `2s`, `5m`, `3h`, `1h30m`, `1.5s`, `-5m`, `+90s`.
    ///
    /// Units are `ns`, `us` (`µs`), `ms`, `s`, `m`, `h`, `d`, each at most once, the longest first; only the last number may
    /// have a fraction, and that must be a whole number of nanoseconds. A number without a unit is refused: it means
    /// seconds to one reader and nanoseconds to the next.
    public init(parsing text: String) throws(TimeTextError) {
        var reader = TextReader(text)
        let negative = reader.take("-")
        if !negative { _ = reader.take("+") }
        var magnitude: UInt64 = 0
        var lastUnit = UInt64.max
        var fractionSeen = false
        repeat {
            if fractionSeen { throw Self.error(text, "only the last number may have a fraction") }
            let component = try Self.component(of: &reader, in: text)
            guard component.unit < lastUnit else {
                throw Self.error(text, "units come once each, the longest first")
            }
            lastUnit = component.unit
            fractionSeen = component.hasFraction
            let (sum, overflow) = magnitude.addingReportingOverflow(component.nanoseconds)
            if overflow { throw Self.tooLong(text) }
            magnitude = sum
        } while !reader.atEnd

        let limit = Int64.max.magnitude + (negative ? 1 : 0)
        guard magnitude <= limit else { throw Self.tooLong(text) }
        // Negating the bit pattern also gives Int64.min, which has no positive counterpart.
        let bits = Int64(bitPattern: magnitude)
        self.init(nanoseconds: negative ? 0 &- bits : bits)
    }

    private static func component(
        of reader: inout TextReader,
        in text: String
    ) throws(TimeTextError) -> (nanoseconds: UInt64, unit: UInt64, hasFraction: Bool) {
        guard let whole = reader.digits() else { throw error(text, "there is no number where one should be") }
        let fraction: Substring.UTF8View?
        if reader.take(".") {
            guard let digits = reader.digits() else { throw error(text, "there is no digit behind the point") }
            fraction = digits
        } else {
            fraction = nil
        }
        guard let unit = unit(of: &reader) else {
            throw error(text, reader.atEnd ? "there is no unit behind the number" : "there is no such unit")
        }
        guard let count = UInt64(Substring(whole)) else { throw tooLong(text) }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        if overflow { throw tooLong(text) }
        guard let fraction else { return (nanoseconds, unit, false) }
        let (sum, overflowOfSum) = nanoseconds.addingReportingOverflow(try part(fraction, of: unit, in: text))
        if overflowOfSum { throw tooLong(text) }
        return (sum, unit, true)
    }

    private static func part(
        _ digits: Substring.UTF8View,
        of unit: UInt64,
        in text: String
    ) throws(TimeTextError) -> UInt64 {
        var significant = Substring(digits)
        while significant.last == "0" { significant.removeLast() }
        if significant.isEmpty { return 0 }
        // A day is 2^16 · 3^3 · 5^11 ns: no more than 11 to 16 digits can come out whole, so 18 lose nothing.
        guard significant.utf8.count <= 18, let numerator = UInt128(significant) else { throw tooFine(text) }
        var denominator: UInt128 = 1
        for _ in significant.utf8 { denominator *= 10 }
        let (quotient, remainder) = (numerator * UInt128(unit)).quotientAndRemainder(dividingBy: denominator)
        guard remainder == 0, let nanoseconds = UInt64(exactly: quotient) else { throw tooFine(text) }
        return nanoseconds
    }

    /// The unit's length in nanoseconds.
    private static func unit(of reader: inout TextReader) -> UInt64? {
        // Longer names first: "ms" begins with "m".
        for (name, length) in unitNames where reader.take(name) { return length }
        return nil
    }

    private static let unitNames: [(String, UInt64)] = [
        ("ns", 1),
        ("us", microsecond), ("\u{b5}s", microsecond), ("\u{3bc}s", microsecond),
        ("ms", millisecond),
        ("s", second), ("m", minute), ("h", hour), ("d", day),
    ]

    private static let microsecond: UInt64 = 1_000
    private static let millisecond: UInt64 = 1_000_000
    private static let second: UInt64 = 1_000_000_000
    private static let minute = 60 * second
    private static let hour = 60 * minute
    private static let day = 24 * hour

    private static func error(_ text: String, _ problem: String) -> TimeTextError {
        TimeTextError(
            text: text,
            problem: problem,
            expected: "a duration such as 250us, 40ms, 1.5s, 5m, 1h30m or -90s (units ns us ms s m h d)"
        )
    }

    private static func tooLong(_ text: String) -> TimeTextError {
        error(text, "it is longer than 292 years, the most that fits")
    }

    private static func tooFine(_ text: String) -> TimeTextError {
        error(text, "it is not a whole number of nanoseconds")
    }
}

extension Span: CustomStringConvertible {
    /// The shortest exact form, which ``init(parsing:)`` reads back: `1h30m`, `1.5s`, `250us`, `-5m`, `0s`.
    public var description: String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        switch magnitude {
        case 0: return "0s"
        case ..<Self.microsecond: return "\(sign)\(magnitude)ns"
        case ..<Self.millisecond: return "\(sign)\(Self.decimal(magnitude, in: Self.microsecond))us"
        case ..<Self.second: return "\(sign)\(Self.decimal(magnitude, in: Self.millisecond))ms"
        default: break
        }
        var text = sign
        var rest = magnitude
        for (length, name) in [(Self.day, "d"), (Self.hour, "h"), (Self.minute, "m")] where rest >= length {
            text += "\(rest / length)\(name)"
            rest %= length
        }
        if rest > 0 { text += "\(Self.decimal(rest, in: Self.second))s" }
        return text
    }

    private static func decimal(_ nanoseconds: UInt64, in unit: UInt64) -> String {
        let digits = unit == second ? 9 : unit == millisecond ? 6 : 3
        return "\(nanoseconds / unit)\(decimalFraction(nanoseconds % unit, digits: digits))"
    }
}

/// `.25` for 250 of 3 digits, nothing for 0.
func decimalFraction(_ value: UInt64, digits: Int) -> String {
    guard value > 0 else { return "" }
    var text = String(value)
    text = String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    while text.last == "0" { text.removeLast() }
    return "." + text
}
