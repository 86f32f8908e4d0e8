import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// Asked at 100 s, and what is armed has its instant then, sooner or later.
struct UndecidedAnswersTests {
    private static func second(_ number: Double) -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: Int64(number * 1e9))
    }

    @Test(arguments: [
        // Its instant, now, and whether a host may have begun since it was asked.
        (200, 101, false), (104, 101, false), (101.5, 101, true), (100.5, 105, true), (100, 100, true),
        (99.5, 100, true),
        (98, 100, false), (98, 120, false), (104, 110, true),
    ])
    func answersFromBeforeTheInstantSayNothingAfterIt(_ instant: Double, _ now: Double, _ stale: Bool) {
        let answers = UndecidedAnswers(asked: Self.second(100))
        #expect(answers.areStale(for: Self.second(instant), now: Self.second(now), margin: .seconds(1)) == stale)
    }
}
