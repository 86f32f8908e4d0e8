import GuestClock
import Testing
import Time

@Suite("The time of day of s390x")
struct TODScopeTests {
    @Test(
        "It is the guest's only clock: scope all moves it as scope rtc does, and timers with it",
        arguments: QEMUUnderTest.all
    )
    func all(release: QEMUUnderTest) async throws {
        let board = ClockBoard.with(named: "s390-ccw-virtio") { _ in }
        guard let binary = try await ClockBench.shared.binary(for: board, release: release) else { return }
        try await ClockLanes.shared.run {
            let trial = try await ClockTrial.begin(board, release: release, clock: .vm, binary: binary)
            let before = try #require(trial.clocks.state.rtcNs)
            for scope in ClockScope.allCases {
                let move = Span.seconds(1_000)
                let resumption = try await trial.resume(binary: binary, policy: .offset(move), scope: scope)
                let running = resumption.running
                let window = TimeWindow(before, before).later(
                    by: running.from - resumption.resumed.to + move,
                    to: running.to - resumption.resumed.from + move
                )
                #expect(window.mayShow(running.ns, resolution: 1), "\(scope): \(running.ns), it should be in \(window)")
                let virtual = (resumption.plan.expected.virtualNs ?? 0) - (trial.clocks.state.virtualNs ?? 0)
                #expect(virtual == (scope == .all ? move.nanoseconds : 0))
                await resumption.qemu.quit()
            }
        }
    }
}
