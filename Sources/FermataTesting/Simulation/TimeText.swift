import FoundationEssentials

/// Times and spans as the command line takes them.
enum TimeText {
    /// Whole nanoseconds; what does not fit into them is the longest that does, which is refused with its reason.
    static func span(_ span: Duration) -> String {
        let (seconds, attoseconds) = span.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowOfSum) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return "\(overflow || overflowOfSum ? .max : sum)ns"
    }

    /// UTC, with microseconds: a `Date` of these years has no more.
    static func instant(_ time: Date) -> String {
        let microseconds = (time.timeIntervalSince1970 * 1e6).rounded()
        // Far beyond all years that have four digits.
        guard abs(microseconds) < 1e18 else { return "\(time)" }
        let (seconds, fraction) = Int64(microseconds).quotientAndRemainderRoundingDown(dividingBy: 1_000_000)
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        let digits = String(fraction)
        return "\(whole.dropLast()).\(String(repeating: "0", count: 6 - digits.count))\(digits)Z"
    }

    static func date(nanoseconds: Int64) -> Date { Date(timeIntervalSince1970: Double(nanoseconds) / 1e9) }

    /// `--at` or `--in`.
    static func words(at instant: Date?, after span: Duration?) throws(FermataError) -> [String] {
        switch (instant, span) {
        case (nil, nil): return []
        case (let instant?, nil): return ["--at", self.instant(instant)]
        case (nil, let span?):
            guard span >= .zero else { throw wrong("'after' counts from now on: \(span) is before now") }
            return ["--in", self.span(span)]
        case (_?, _?): throw wrong("an instant is given by 'at' or by 'after', not by both")
        }
    }

    private static func wrong(_ what: String) -> FermataError { FermataError(code: "usage", exitCode: 2, what) }
}

extension Int64 {
    fileprivate func quotientAndRemainderRoundingDown(dividingBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
