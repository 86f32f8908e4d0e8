import HostClock
import Testing
import Time

/// The scripted double for what the real clock must never be made to do on somebody's machine: being set. Threads,
/// sockets and the order of events are real.
@Suite struct ManualClockTests {
    private static let start = HostInstant(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)
    private let clock = ManualClock(at: Self.start)
    private let deadline = Self.start + .seconds(60)

    @Test func firesWhenTheClockGetsThereAndNotANanosecondEarlier() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(2)
        let early = try threads.arm(Volley(peers.shots()), at: deadline)
        clock.advance(by: .seconds(60) - Span(nanoseconds: 1))
        #expect(early.cancel(), "it was not firing yet")
        #expect(peers.receivedNothing())

        let armed = try threads.arm(Volley(peers.shots()), at: deadline)
        clock.advance(by: Span(nanoseconds: 1))
        let report = await armed.fired()
        #expect(report.reachedEveryPeer)
        #expect(report.shots.allSatisfy { $0.writtenAt == deadline && $0.lateness == .zero })
        #expect(peers.received(1) == message(1))
    }

    @Test(arguments: [Span.milliseconds(1), .seconds(3600), -.milliseconds(1), -.seconds(3600)])
    func aClockThatIsSetWhileArmedWithdrawsTheVolley(step: Span) async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(2)
        let armed = try threads.arm(Volley(peers.shots()), at: deadline)
        clock.advance(by: .seconds(10))
        clock.set(to: clock.now() + step)
        let report = await armed.fired()
        #expect(report.outcome == .clockStepped)
        #expect(report.shots.allSatisfy { $0.writtenAt == nil })
        #expect(armed.cancel(), "nothing was written and nothing will be")
        clock.advance(by: .seconds(7200))
        #expect(peers.receivedNothing())
    }

    @Test func aClockThatIsSetBeforeArmingDoesNotMatter() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(1)
        clock.set(to: Self.start + .seconds(5))
        let armed = try threads.arm(Volley(peers.shots()), at: deadline)
        clock.advance(by: .seconds(55))
        #expect(await armed.fired().outcome == .fired)
    }

    @Test func everyVolleyOnTheClockIsWithdrawnByAStep() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(3)
        let armed = try peers.shots().map { try threads.arm(Volley([$0]), at: deadline) }
        clock.set(to: deadline + .seconds(1))
        for volley in armed { #expect(await volley.fired().outcome == .clockStepped) }
        #expect(peers.receivedNothing())
    }

    @Test func aStepBetweenTwoShotsSendsTheRestAndIsReported() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(2)
        let volley = Volley([peers.shots(lead: .milliseconds(5))[0], peers.shots()[1]])
        let armed = try threads.arm(volley, at: deadline)
        let first = arrival(at: peers.far[0])
        clock.advance(by: .seconds(60) - .milliseconds(5))
        _ = await first.value
        #expect(!armed.cancel(), "the first has left")
        clock.set(to: Self.start)
        let report = await armed.fired()
        #expect(report.reachedEveryPeer)
        #expect(report.clockSteppedWhileFiring)
        #expect(peers.received(1) == message(1))
    }

    @Test func aThreadThatRunsTooLateSendsNothing() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(1)
        let armed = try threads.arm(Volley(peers.shots()), at: deadline, tolerance: .milliseconds(20))
        // As after a stopped process: time went on, nobody ran.
        clock.advance(by: .seconds(62))
        #expect(await armed.fired().outcome == .missed(by: .seconds(2)))
        #expect(peers.receivedNothing())
    }

    @Test func latenessWithinTheToleranceIsReportedNotHidden() async throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(1)
        let armed = try threads.arm(Volley(peers.shots()), at: deadline, tolerance: .seconds(2))
        clock.advance(by: .seconds(62))
        let report = await armed.fired()
        #expect(report.outcome == .fired)
        #expect(report.worstLateness == .seconds(2))
    }

    @Test func anInstantAtOrBeforeTheClockIsRefused() throws {
        let threads = try DeadlineThreads(clock: clock)
        let peers = try Peers(1)
        #expect(throws: DeadlineError.tooLate(by: .zero)) {
            try threads.arm(Volley(peers.shots()), at: Self.start)
        }
        #expect(throws: DeadlineError.tooLate(by: .milliseconds(3))) {
            try threads.arm(Volley(peers.shots(lead: .milliseconds(5))), at: Self.start + .milliseconds(2))
        }
    }
}
