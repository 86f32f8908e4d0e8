import Glibc
import Time

/// Times as people read them.
enum TimeText {
    /// Local time to the microsecond with its zone: `2026-03-01 14:03:07.123456 CET`.
    static func local(_ instant: HostInstant, fraction: Int = 6) -> String {
        let (date, zone) = calendar(instant, format: "%Y-%m-%d %H:%M:%S", utc: false)
        return "\(date)\(decimals(instant, fraction)) \(zone)"
    }

    /// Local time of day: `14:03:07.123456`.
    static func clock(_ instant: HostInstant, fraction: Int = 6) -> String {
        calendar(instant, format: "%H:%M:%S", utc: false).0 + decimals(instant, fraction)
    }

    /// What a guest's clock reads. It counts UTC, unless the guest keeps local time: so no zone is claimed.
    static func guest(_ nanoseconds: Int64, fraction: Int = 3) -> String {
        let instant = HostInstant(nanosecondsSinceEpoch: nanoseconds)
        return calendar(instant, format: "%Y-%m-%d %H:%M:%S", utc: true).0 + decimals(instant, fraction)
    }

    /// `just now`, `4 min ago`, `in 20 s`.
    static func relative(_ instant: HostInstant, to now: HostInstant) -> String {
        let span = now - instant
        let seconds = span.nanoseconds.magnitude / 1_000_000_000
        if seconds == 0 { return "just now" }
        let amount =
            switch seconds {
            case ..<120: "\(seconds) s"
            case ..<7_200: "\(seconds / 60) min"
            case ..<172_800: "\(seconds / 3_600) h"
            default: "\(seconds / 86_400) days"
            }
        return span.nanoseconds > 0 ? "\(amount) ago" : "in \(amount)"
    }

    /// Three significant places with the unit that fits: `812 µs`, `4.05 ms`, `-1.20 s`.
    static func span(_ span: Span) -> String {
        let sign = span.nanoseconds < 0 ? "-" : ""
        let magnitude = span.nanoseconds.magnitude
        let (unit, scale): (String, UInt64) =
            switch magnitude {
            case ..<1_000: ("ns", 1)
            case ..<1_000_000: ("µs", 1_000)
            case ..<1_000_000_000: ("ms", 1_000_000)
            case ..<300_000_000_000: ("s", 1_000_000_000)
            case ..<10_800_000_000_000: ("min", 60_000_000_000)
            default: ("h", 3_600_000_000_000)
            }
        return "\(sign)\(significant(magnitude, scale)) \(unit)"
    }

    /// To the microsecond: `12.345678`.
    static func seconds(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let digits = String(magnitude % 1_000_000_000 / 1_000)
        let sign = nanoseconds < 0 ? "-" : ""
        return "\(sign)\(magnitude / 1_000_000_000).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }

    /// With its sign, in microseconds: how late something was.
    static func lateness(_ span: Span) -> String {
        let magnitude = span.nanoseconds.magnitude
        let sign = span.nanoseconds < 0 ? "-" : "+"
        return "\(sign)\(magnitude / 1_000).\(magnitude % 1_000 / 100) µs"
    }

    /// `1.5 MiB`.
    static func bytes(_ count: UInt64) -> String {
        let units: [(String, UInt64)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        for (unit, scale) in units where count >= scale { return "\(significant(count, scale)) \(unit)" }
        return "\(count) B"
    }

    private static func significant(_ value: UInt64, _ scale: UInt64) -> String {
        let whole = value / scale
        let rest = value % scale
        if scale == 1 || whole >= 100 { return "\(whole)" }
        // Thousandths first: 10 × rest could overflow for no scale used here, 1000 × 2^30 is far inside.
        let thousandths = rest * 1_000 / scale
        let padded = String(repeating: "0", count: 3 - String(thousandths).count) + String(thousandths)
        return "\(whole).\(padded.prefix(whole >= 10 ? 1 : 2))"
    }

    private static func decimals(_ instant: HostInstant, _ places: Int) -> String {
        guard places > 0 else { return "" }
        let (_, nanoseconds) = split(instant)
        let digits = String(nanoseconds)
        let padded = String(repeating: "0", count: 9 - digits.count) + digits
        return "." + padded.prefix(places)
    }

    private static func split(_ instant: HostInstant) -> (seconds: Int64, nanoseconds: Int64) {
        let (quotient, remainder) = instant.nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? (quotient - 1, remainder + 1_000_000_000) : (quotient, remainder)
    }

    private static func calendar(_ instant: HostInstant, format: String, utc: Bool) -> (String, String) {
        var seconds = time_t(split(instant).seconds)
        var parts = tm()
        guard (utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)) != nil else { return ("?", "") }
        return (text(&parts, format), text(&parts, "%Z"))
    }

    private static func text(_ parts: inout tm, _ format: String) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
