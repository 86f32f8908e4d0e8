import Testing
import Time

@Suite struct SpanTextTests {
    @Test(
        arguments: [
            ("250us", 250_000), ("250µs", 250_000), ("250\u{3bc}s", 250_000), ("7ns", 7), ("40ms", 40_000_000),
            ("2s", 2_000_000_000), ("5m", 300_000_000_000), ("3h", 10_800_000_000_000), ("1d", 86_400_000_000_000),
            ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("1m0.5s", 60_500_000_000), ("0.1us", 100),
            ("+90s", 90_000_000_000), ("-5m", -300_000_000_000), ("-1h30m", -5_400_000_000_000), ("0s", 0), ("-0s", 0),
            ("1.50000000000000000000000s", 1_500_000_000), ("0.5d", 43_200_000_000_000),
            ("1d2h3m4s5ms6us7ns", 93_784_005_006_007),
            ("0.00000000001d", 864),
            ("9223372036854775807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
        ] as [(String, Int64)]
    )
    func readsTheFormsPeopleWrite(text: String, nanoseconds: Int64) throws {
        #expect(try Span(parsing: text).nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        ("", "no number"), ("-", "no number"), ("s", "no number"), ("90", "no unit"), ("1h30", "no unit"),
        ("90 s", "no such unit"), ("90S", "no such unit"), ("5min", "no number"), ("5w", "no such unit"),
        ("30m1h", "longest first"), ("1h1h", "longest first"), ("1.5h30m", "only the last"), ("1.s", "no digit"),
        (".5s", "no number"), ("1.5ns", "nanoseconds"), ("0.0001us", "nanoseconds"),
        ("0.0000000000000000001d", "nanoseconds"),
        ("9223372036854775808ns", "292"), ("-9223372036854775809ns", "292"), ("106752d", "292"),
        ("99999999999999999999s", "292"), ("18446744073709551615ns", "292"), ("300000d24h", "292"),
        ("--5s", "no number"),
        ("+-5s", "no number"), ("1e3s", "no such unit"), ("٣s", "no number"), ("5s ", "no number"),
        ("5s\0", "no number"),
    ])
    func refusesAnythingElseAndSaysWhatIsExpected(text: String, problem: String) throws {
        let error = #expect(throws: TimeTextError.self) { try Span(parsing: text) }
        let description = try #require(error).description
        #expect(description.contains(problem))
        #expect(description.contains("1h30m"))
    }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ns"), (250_000, "250us"), (1_234_567, "1.234567ms"), (40_000_000, "40ms"),
            (1_500_000_000, "1.5s"), (59_000_000_001, "59.000000001s"), (5_400_000_000_000, "1h30m"),
            (-300_000_000_000, "-5m"), (93_784_000_000_000, "1d2h3m4s"), (86_400_000_000_001, "1d0.000000001s"),
            (Int64.min, "-106751d23h47m16.854775808s"),
        ] as [(Int64, String)]
    )
    func isDescribedInItsShortestExactForm(nanoseconds: Int64, text: String) {
        #expect(Span(nanoseconds: nanoseconds).description == text)
    }

    @Test func readsBackWhateverItDescribes() throws {
        for nanoseconds in int64Samples() {
            let span = Span(nanoseconds: nanoseconds)
            #expect(try Span(parsing: span.description) == span)
        }
    }

    @Test func neverTrapsOnNoise() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789.+-nusmhdµ \0é".unicodeScalars)
        var read = 0
        for _ in 0..<50_000 {
            let text = noise(alphabet, upTo: 24, using: &generator)
            if let span = try? Span(parsing: text) {
                read += 1
                #expect((try? Span(parsing: span.description)) == span)
            }
        }
        // Otherwise the noise would not get past the first character.
        #expect(read > 100)
    }

    @Test func aLongTextIsShortenedInTheError() {
        let error = #expect(throws: TimeTextError.self) { try Span(parsing: String(repeating: "9", count: 100_000)) }
        #expect((error?.description.count ?? .max) < 300)
    }
}
