import HostClock
import Testing
import Time

struct ClockOffsetTests {
    /// Ours is the true time; theirs is ahead by `offset`.
    private func exchange(at sent: Int64, there: Int64, thinking: Int64 = 0, back: Int64, offset: Int64)
        -> ClockExchange
    {
        ClockExchange(
            sent: HostInstant(nanosecondsSinceEpoch: sent),
            arrived: HostInstant(nanosecondsSinceEpoch: sent + there + offset),
            answered: HostInstant(nanosecondsSinceEpoch: sent + there + thinking + offset),
            received: HostInstant(nanosecondsSinceEpoch: sent + there + thinking + back)
        )
    }

    @Test(arguments: [0, 7_000_000_000, -7_000_000_000, 1], [1_000, 300_000, 40_000_000])
    func equalWaysGiveTheOffsetItself(_ offset: Int64, _ way: Int64) throws {
        let measured = try #require(ClockOffset([exchange(at: 1_000_000_000, there: way, back: way, offset: offset)]))
        #expect(abs(measured.offset.nanoseconds - offset) <= 1)
        // Half a round trip, and what the clocks may drift meanwhile.
        #expect(measured.bound.nanoseconds >= way && measured.bound.nanoseconds <= way + way / 100 + 10)
    }

    @Test func whatTheOtherSideThinksAboutItCostsNothing() throws {
        let quick = try #require(ClockOffset([exchange(at: 0, there: 50_000, back: 50_000, offset: 5)]))
        let slow = exchange(at: 0, there: 50_000, thinking: 20_000_000, back: 50_000, offset: 5)
        let measured = try #require(ClockOffset([slow]))
        #expect(measured.bound.nanoseconds - quick.bound.nanoseconds <= 20_000_000 / 500)
    }

    /// Whatever way the messages took, the true offset is within the bound, and more exchanges never widen it but by drift.
    @Test func theTrueOffsetIsWithinTheBound() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let offset = Int64.random(in: -4_000_000_000_000...4_000_000_000_000, using: &random)
            var time = Int64(1_700_000_000_000_000_000)
            var exchanges: [ClockExchange] = []
            for _ in 0..<8 {
                let (there, back) = (Int64.random(in: 0...5_000_000), Int64.random(in: 0...5_000_000))
                exchanges.append(exchange(at: time, there: there, back: back, offset: offset))
                time += there + back + 1_000
            }
            let measured = try #require(ClockOffset(exchanges))
            #expect(abs(measured.offset.nanoseconds - offset) <= measured.bound.nanoseconds)
            let narrowest = try #require(exchanges.map { $0.received - $0.sent }.min())
            let drift = (time - 1_700_000_000_000_000_000) / 1_000
            #expect(measured.bound.nanoseconds <= narrowest.nanoseconds / 2 + drift + 10)
        }
    }

    @Test func aClockThatIsSetMeanwhileGivesNothing() {
        let before = exchange(at: 0, there: 100_000, back: 100_000, offset: 0)
        let after = exchange(at: 1_000_000, there: 100_000, back: 100_000, offset: 50_000_000)
        #expect(ClockOffset([before, after]) == nil)
        #expect(ClockOffset([before]) != nil && ClockOffset([after]) != nil)
    }

    @Test func whatCannotBeIsNoMeasurement() {
        #expect(ClockOffset([]) == nil)
        var backwards = exchange(at: 1_000, there: 10, back: 10, offset: 0)
        backwards.received = HostInstant(nanosecondsSinceEpoch: 0)
        #expect(ClockOffset([backwards]) == nil)
        var answeredFirst = exchange(at: 1_000, there: 10, back: 10, offset: 0)
        answeredFirst.answered = HostInstant(nanosecondsSinceEpoch: 0)
        #expect(ClockOffset([answeredFirst]) == nil)
        // The other side may write any number.
        let extreme = ClockExchange(
            sent: HostInstant(nanosecondsSinceEpoch: .min),
            arrived: HostInstant(nanosecondsSinceEpoch: .max),
            answered: HostInstant(nanosecondsSinceEpoch: .max),
            received: HostInstant(nanosecondsSinceEpoch: .max)
        )
        _ = ClockOffset([extreme])
        _ = ClockOffset([extreme, exchange(at: 0, there: 1, back: 1, offset: 0)])
    }
}
