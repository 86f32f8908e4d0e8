import Time

/// The date registers of an ``MC146818`` among the 128 bytes of CMOS memory.
struct CMOSRegisters: Sendable {
    private static let seconds = 0x00
    private static let minutes = 0x02
    private static let hours = 0x04
    private static let weekday = 0x06
    private static let day = 0x07
    private static let month = 0x08
    private static let year = 0x09
    private static let registerA = 0x0a
    private static let registerB = 0x0b
    /// Not of the chip, but where PCs keep it.
    private static let century = 0x32

    private let bytes: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 128 else { return nil }
        self.bytes = bytes
    }

    /// The clock stands, and its registers are what it will go on from: bit SET, or a divider that does not divide.
    var held: Bool { bytes[Self.registerB] & 0x80 != 0 || bytes[Self.registerA] & 0x70 > 0x20 }

    var alarmEnabled: Bool { bytes[Self.registerB] & 0x20 != 0 }

    /// Nanoseconds since the epoch; nil when the registers hold no valid date.
    var time: Int128? {
        guard let second = number(bytes[Self.seconds]), let minute = number(bytes[Self.minutes]), let hour = hour,
            let day = number(bytes[Self.day]), let month = number(bytes[Self.month]),
            let year = number(bytes[Self.year]), let century = number(bytes[Self.century])
        else { return nil }
        let civil = CivilTime(
            year: century * 100 + year,
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second
        )
        return civil.isInRange ? Int128(civil.secondsSinceEpoch) * .second : nil
    }

    /// All 128 bytes, with that date in their registers, in the guest's own notation.
    func setting(_ civil: CivilTime) -> [UInt8] {
        var set = bytes
        set[Self.seconds] = encoded(civil.second)
        set[Self.minutes] = encoded(civil.minute)
        if is24Hours {
            set[Self.hours] = encoded(civil.hour)
        } else {
            let hour = civil.hour % 12 == 0 ? 12 : civil.hour % 12
            set[Self.hours] = encoded(hour) | (civil.hour >= 12 ? 0x80 : 0)
        }
        set[Self.weekday] = encoded(civil.weekday + 1)
        set[Self.day] = encoded(civil.day)
        set[Self.month] = encoded(civil.month)
        set[Self.year] = encoded(civil.year % 100)
        set[Self.century] = encoded(civil.year / 100)
        return set
    }

    private var isBinary: Bool { bytes[Self.registerB] & 0x04 != 0 }
    private var is24Hours: Bool { bytes[Self.registerB] & 0x02 != 0 }

    private var hour: Int? {
        guard let hour = number(bytes[Self.hours] & 0x7f) else { return nil }
        return is24Hours ? hour : hour % 12 + (bytes[Self.hours] & 0x80 != 0 ? 12 : 0)
    }

    private func number(_ byte: UInt8) -> Int? {
        // Both top bits set stand for "any" in an alarm, and for nothing in a time.
        if byte & 0xc0 == 0xc0 { return nil }
        return isBinary ? Int(byte) : Int(byte >> 4) * 10 + Int(byte & 0x0f)
    }

    private func encoded(_ number: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: isBinary ? number : (number / 10) << 4 | number % 10)
    }
}
