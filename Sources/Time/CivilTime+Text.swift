extension CivilTime {
    /// `2024-02-29T12:00:00`, the form that QEMU's `-rtc base=` takes.
    public var text: String {
        "\(padded(year, to: 4))-\(padded(month))-\(padded(day))T\(padded(hour)):\(padded(minute)):\(padded(second))"
    }

    /// `2024-02-29T12:00:00` or `2024-02-29`, the two forms that QEMU's `-rtc base=` takes; nil for anything else.
    public init?(text: String) {
        let halves = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        let date = Self.numbers(halves[0], separator: "-")
        let time = halves.count == 2 ? Self.numbers(halves[1], separator: ":") : [0, 0, 0]
        guard let date, let time, date.count == 3, time.count == 3 else { return nil }
        self.init(year: date[0], month: date[1], day: date[2], hour: time[0], minute: time[1], second: time[2])
        guard isInRange else { return nil }
    }

    private static func numbers(_ text: Substring, separator: Character) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: separator, omittingEmptySubsequences: false) {
            guard !part.isEmpty, part.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(part) else {
                return nil
            }
            numbers.append(number)
        }
        return numbers
    }

    private func padded(_ number: Int, to width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
