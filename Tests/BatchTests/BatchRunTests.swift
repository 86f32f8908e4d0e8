import Batch
import Manifest
import Testing
import Time

/// The order of what is done, without doing it.
struct BatchRunTests {
    private static func steps(_ count: Int) -> [Step] {
        (0..<count).map { Step(place: Place(line: $0 + 1, column: 1), action: .checkpoint("c\($0)")) }
    }

    @Test func `steps are done in their order, and behind one that has not passed the others are skipped`() {
        var sequence = StepSequence(Self.steps(3))
        #expect(sequence.next?.line == 1)
        sequence.ended(.passed, after: .seconds(1))
        #expect(sequence.next?.line == 2 && sequence.outcome == .skipped)
        sequence.ended(StepEnd(.failed, "why"), after: .seconds(2))
        #expect(sequence.next == nil && sequence.outcome == .failed)
        #expect(sequence.results.map(\.outcome) == [.passed, .failed, .skipped])
        #expect(sequence.results[1].message == "why" && sequence.results[1].duration == .seconds(2))
        #expect(sequence.ended(.passed, after: .zero) == nil && sequence.results.count == 3)
    }

    @Test func `all steps passed is passed`() {
        var sequence = StepSequence(Self.steps(2))
        while sequence.next != nil { sequence.ended(.passed, after: .zero) }
        #expect(sequence.outcome == .passed)
    }

    @Test func `combinations begin in their order, as many at once as may be, without those that are done`() {
        var schedule = Schedule(count: 5, done: [0, 2], prepares: false, parallel: 2)
        #expect(schedule.next() == .begin(1))
        #expect(schedule.next() == .begin(3))
        #expect(schedule.next() == .wait)
        schedule.ended(3)
        #expect(schedule.next() == .begin(4))
        #expect(schedule.next() == .wait)
        schedule.ended(1)
        schedule.ended(4)
        #expect(schedule.next() == .end)
    }

    @Test func `nothing begins before it is prepared, and nothing at all when that fails`() {
        var schedule = Schedule(count: 2, prepares: true, parallel: 4)
        #expect(schedule.next() == .prepare)
        #expect(schedule.next() == .wait)
        var failed = schedule
        schedule.prepared(.passed)
        #expect(schedule.next() == .begin(0))
        #expect(schedule.next() == .begin(1))
        failed.prepared(.failed)
        #expect(failed.next() == .end)
    }

    @Test func `nothing is prepared when all have a result`() {
        var schedule = Schedule(count: 2, done: [0, 1], prepares: true, parallel: 1)
        #expect(schedule.next() == .end)
    }

    @Test func `called off, what runs is waited for and nothing begins`() {
        var schedule = Schedule(count: 3, prepares: false, parallel: 1)
        #expect(schedule.next() == .begin(0))
        schedule.stop()
        #expect(schedule.next() == .wait)
        schedule.ended(0)
        #expect(schedule.next() == .end)
    }
}
