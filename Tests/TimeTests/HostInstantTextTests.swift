import Glibc
import Testing
import Time

@Suite struct HostInstantTextTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-12-31T23:59:50Z", 1_798_761_590_000_000_000),
            ("2026-12-31 23:59:50Z", 1_798_761_590_000_000_000),
            ("2026-12-31t23:59:50z", 1_798_761_590_000_000_000),
            ("2027-01-01T00:59:50+01:00", 1_798_761_590_000_000_000),
            ("2027-01-01T05:29:50+0530", 1_798_761_590_000_000_000),
            ("2026-12-31T15:59:50-08", 1_798_761_590_000_000_000),
            ("2026-12-31T23:59Z", 1_798_761_540_000_000_000),
            ("2026-12-31T23:59:50.25Z", 1_798_761_590_250_000_000),
            ("2026-12-31T23:59:50,000000001Z", 1_798_761_590_000_000_001),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("2262-04-11T23:47:16.854775807Z", Int64.max),
            ("1677-09-21T00:12:43.145224192Z", Int64.min),
        ] as [(String, Int64)]
    )
    func readsISO8601(text: String, nanoseconds: Int64) throws {
        #expect(try HostInstant(parsing: text).nanosecondsSinceEpoch == nanoseconds)
    }

    @Test(arguments: [
        ("", "date"), ("now", "date"), ("2026-1-1T00:00:00Z", "date"), ("20261231T235950Z", "date"),
        ("2026-12-31", "no time of day"), ("2026-12-31T", "time of day"), ("2026-12-31_23:59:50Z", "T or a space"),
        ("2026-12-31T23Z", "time of day"), ("2026-12-31T23:59:5Z", "two digits"), ("2026-13-01T00:00:00Z", "month 13"),
        ("2026-00-01T00:00:00Z", "month 0"), ("2026-04-31T00:00:00Z", "day 31"), ("2026-01-00T00:00:00Z", "day 0"),
        ("2026-02-29T00:00:00Z", "day 29"), ("1900-02-29T00:00:00Z", "day 29"), ("2026-12-31T24:00:00Z", "hour 24"),
        ("2026-12-31T23:60:00Z", "minute 60"), ("2016-12-31T23:59:60Z", "leap seconds"),
        ("2026-12-31T23:59:61Z", "second 61"), ("2026-12-31T23:59:50.Z", "no digit"),
        ("2026-12-31T23:59:50.1234567890Z", "9 digits"), ("2026-12-31T23:59:50+1", "±hh:mm"),
        ("2026-12-31T23:59:50+01:", "±hh:mm"), ("2026-12-31T23:59:50+24:00", "no such offset"),
        ("2026-12-31T23:59:50+01:60", "no such offset"), ("2026-12-31T23:59:50ZZ", "something follows"),
        ("2026-12-31T23:59:50 Z", "Z or an offset"), ("2026-12-31T23:59:50 Europe/Berlin", "Z or an offset"),
        ("2262-04-11T23:47:16.854775808Z", "1677 to 2262"), ("1677-09-21T00:12:43.145224191Z", "1677 to 2262"),
        ("9999-12-31T23:59:59Z", "1677 to 2262"), ("0000-01-01T00:00:00Z", "1677 to 2262"),
        ("٢٠٢٦-12-31T23:59:50Z", "date"), ("2026-12-31T23:59:50\0Z", "Z or an offset"),
    ])
    func refusesAnythingElseAndSaysWhatIsExpected(text: String, problem: String) throws {
        let error = #expect(throws: TimeTextError.self) { try HostInstant(parsing: text) }
        let description = try #require(error).description
        #expect(description.contains(problem))
        #expect(description.contains("2026-12-31T23:59:50Z"))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_798_761_590_250_000_000, "2026-12-31T23:59:50.25Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"), (Int64.max, "2262-04-11T23:47:16.854775807Z"),
            (Int64.min, "1677-09-21T00:12:43.145224192Z"),
        ] as [(Int64, String)]
    )
    func isDescribedInUTCWithTheDigitsItNeeds(nanoseconds: Int64, text: String) {
        #expect(HostInstant(nanosecondsSinceEpoch: nanoseconds).description == text)
    }

    @Test func readsBackWhateverItDescribes() throws {
        for nanoseconds in int64Samples() {
            let instant = HostInstant(nanosecondsSinceEpoch: nanoseconds)
            #expect(try HostInstant(parsing: instant.description) == instant)
        }
    }

    /// The C library counts days by tables of its own: an independent opinion on every day of the range.
    @Test func agreesWithTheCLibraryOnEveryDay() {
        for day in Int64(-106_751)...106_750 {
            var moment = time_t(day * 86_400 + 86_399)
            var fields = tm()
            gmtime_r(&moment, &fields)
            let expected = [fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday]
            let text = HostInstant(nanosecondsSinceEpoch: Int64(moment) * 1_000_000_000).description
            let date = text.prefix(10).split(separator: "-").compactMap { Int32($0) }
            if date != expected || !text.hasSuffix("T23:59:59Z") {
                Issue.record("day \(day): \(text) is not \(expected)")
                return
            }
        }
    }

    @Test func neverTrapsOnNoise() {
        var generator = SeededGenerator(seed: 11)
        let model = Array("2026-12-31T23:59:50.250+01:00".unicodeScalars)
        let alphabet = Array("0123456789-:.,+ TZz\0é".unicodeScalars)
        var read = 0
        for _ in 0..<50_000 {
            var scalars = model
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0..<scalars.count, using: &generator)
                scalars[place] = alphabet.randomElement(using: &generator) ?? "0"
            }
            let text = String(String.UnicodeScalarView(scalars))
            if let instant = try? HostInstant(parsing: text) {
                read += 1
                #expect((try? HostInstant(parsing: instant.description)) == instant)
            }
        }
        #expect(read > 100)
    }
}
