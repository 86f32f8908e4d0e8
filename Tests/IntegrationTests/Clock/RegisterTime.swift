import Glibc

/// Turns what date registers show into nanoseconds since the epoch, with the C library's calendar, not with the code under
/// test.
enum RegisterTime {
    static func ns(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) -> Int64 {
        var broken = tm()
        broken.tm_year = Int32(year - 1900)
        broken.tm_mon = Int32(month - 1)
        broken.tm_mday = Int32(day)
        broken.tm_hour = Int32(hour)
        broken.tm_min = Int32(minute)
        broken.tm_sec = Int32(second)
        return Int64(timegm(&broken)) * 1_000_000_000
    }

    static func bcd(_ byte: UInt8) -> Int { Int(byte >> 4) * 10 + Int(byte & 0x0f) }

    /// Seven BCD registers from the second to the year of this century, as I2C clocks have them; a weekday in between.
    static func ns(registers: [UInt8], twelveHours: Bool = false) -> Int64 {
        var hour = bcd(registers[2] & 0x3f)
        if twelveHours { hour = bcd(registers[2] & 0x1f) % 12 + (registers[2] & 0x20 != 0 ? 12 : 0) }
        return ns(
            year: 2000 + bcd(registers[6]),
            month: bcd(registers[5] & 0x1f),
            day: bcd(registers[4] & 0x3f),
            hour: hour,
            minute: bcd(registers[1] & 0x7f),
            second: bcd(registers[0] & 0x7f)
        )
    }

    /// Reads twice until nothing changed in between, as drivers do.
    static func stable<Value: Equatable>(_ read: () throws -> Value) throws -> Value {
        var last = try read()
        for _ in 0..<100 {
            let next = try read()
            if next == last { return next }
            last = next
        }
        throw TestSupportError("the clock changes faster than it can be read")
    }
}

extension RegisterTime {
    /// A counter in two words, the low one of which may overflow between their reads.
    static func stableHigh(_ read: () throws -> (high: UInt32, low: UInt32)) throws -> UInt64 {
        for _ in 0..<100 {
            let first = try read()
            let second = try read()
            if first.high == second.high { return UInt64(second.high) << 32 | UInt64(second.low) }
        }
        throw TestSupportError("the counter's high word does not stand still")
    }
}
