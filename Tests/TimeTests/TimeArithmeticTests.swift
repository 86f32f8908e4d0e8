import FoundationEssentials
import Testing
import Time

@Suite struct TimeArithmeticTests {
    @Test func sumsBeyondTheRangeStickAtItsEnd() {
        let last = HostInstant(nanosecondsSinceEpoch: .max)
        let first = HostInstant(nanosecondsSinceEpoch: .min)
        #expect(last + .seconds(1) == last)
        #expect(first - .seconds(1) == first)
        #expect((last - first).nanoseconds == .max)
        #expect((first - last).nanoseconds == .min)
        #expect(-Span(nanoseconds: .min) == Span(nanoseconds: .max))
        #expect(Span(nanoseconds: .max) + .milliseconds(1) == Span(nanoseconds: .max))
    }

    @Test func anInstantPlusASpanIsThatMuchLater() {
        let instant = HostInstant(nanosecondsSinceEpoch: 1_000)
        #expect((instant + .microseconds(2)).nanosecondsSinceEpoch == 3_000)
        #expect(instant + .microseconds(2) - instant == .microseconds(2))
        #expect(instant < instant + Span(nanoseconds: 1))
        #expect(Span.milliseconds(2).duration == .milliseconds(2))
    }

    @Test func instantsAndSpansAreWholeNanosecondsInJSON() throws {
        let instant = HostInstant(nanosecondsSinceEpoch: 1_798_761_590_250_000_001)
        let encoded = try JSONEncoder().encode([instant])
        #expect(String(decoding: encoded, as: UTF8.self) == "[1798761590250000001]")
        #expect(try JSONDecoder().decode([HostInstant].self, from: encoded) == [instant])
        #expect(
            try JSONDecoder().decode([Span].self, from: Data("[-9223372036854775808]".utf8)).first?.nanoseconds == .min
        )
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([Span].self, from: Data("[\"1s\"]".utf8)) }
    }
}
