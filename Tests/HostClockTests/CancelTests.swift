import Glibc
import HostClock
import Testing
import Time

@Suite struct CancelTests {
    @Test func aCancelledVolleyWritesNothingAndReportsAtOnce() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(3)
        let armed = try threads.arm(Volley(peers.shots()), at: .now + .seconds(3600))
        #expect(armed.cancel())
        // Would take an hour if the report waited for the instant.
        let report = await armed.fired()
        #expect(report.outcome == .cancelled)
        #expect(report.shots.count == 3)
        #expect(report.shots.allSatisfy { $0.writtenAt == nil && $0.failure == nil })
        #expect(!report.reachedEveryPeer)
        #expect(peers.receivedNothing())
        #expect(armed.cancel(), "cancelling again says the same")
        #expect(await armed.fired() == report)
    }

    @Test func theThreadOfACancelledVolleyTakesTheNextOne() async throws {
        let threads = try DeadlineThreads(ready: 1)
        let peers = try Peers(1)
        for _ in 0..<20 {
            #expect(try threads.arm(Volley(peers.shots()), at: .now + .seconds(3600)).cancel())
            let report = try await threads.armSoon(Volley(peers.shots())).fired()
            #expect(report.reachedEveryPeer)
            #expect(peers.received(0) == message(0))
        }
    }

    @Test func cancellingAfterItFiredIsTooLate() async throws {
        let peers = try Peers(1)
        let armed = try DeadlineThreads().armSoon(Volley(peers.shots()))
        let report = await armed.fired()
        #expect(!armed.cancel())
        #expect(await armed.fired() == report)
        #expect(peers.received(0) == message(0))
    }

    /// Cancels around the instant, thousands of times: what `cancel` says, what the report says and what arrived agree.
    @Test func exactlyOneOfFiredAndCancelledWins() async throws {
        let threads = try DeadlineThreads(ready: 1)
        let peers = try Peers(2)
        var fired = 0
        var cancelled = 0
        var ahead = Span.microseconds(400)
        for round in 0..<3000 {
            let deadline = HostInstant.now + (round % 8 == 0 ? .milliseconds(20) : ahead)
            guard let armed = try? threads.arm(Volley(peers.shots()), at: deadline) else {
                // A busy machine needs longer to arm, for a while.
                ahead = min(ahead + ahead, .milliseconds(5))
                continue
            }
            ahead = max(.microseconds(400), ahead - .microseconds(100))
            // From well before the instant to well after it, most rounds around the moment when the thread commits
            // itself, 50 µs before.
            let cancelAt: HostInstant =
                switch round % 8 {
                case 0: deadline - .milliseconds(20)
                case 1: deadline + .microseconds(300)
                default: deadline - .microseconds(Int64((round * 7919) % 101))
                }
            while HostInstant.now < cancelAt {}
            let withdrawn = armed.cancel()
            let report = await armed.fired()
            let arrived = [peers.received(0), peers.received(1)]
            if withdrawn {
                cancelled += 1
                try #require(report.outcome == .cancelled && arrived == [[], []], "round \(round): \(report)")
            } else {
                fired += 1
                try #require(
                    report.outcome == .fired && arrived == [message(0), message(1)],
                    "round \(round): \(report)"
                )
            }
        }
        #expect(cancelled > 0)
        #expect(fired > 0)
        #expect(peers.receivedNothing())
    }

    @Test func ofManyCancellersAllHearTheSame() async throws {
        let threads = try DeadlineThreads(ready: 1)
        let peers = try Peers(1)
        for _ in 0..<100 {
            let armed = try threads.armSoon(Volley(peers.shots()))
            while HostInstant.now < armed.deadline {}
            let answers = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { armed.cancel() } }
                return await group.reduce(into: Set<Bool>()) { $0.insert($1) }
            }
            let outcome = await armed.fired().outcome
            try #require(answers == [outcome == .cancelled])
            try #require(peers.received(0) == (outcome == .cancelled ? [] : message(0)))
        }
    }
}
