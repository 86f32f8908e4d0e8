import GuestClock
import Testing
import Time

/// What a guest measures time by: it moves with `--clock-scope all`, and only then.
@Suite("Clocksources, as their guests read them")
struct ClocksourcePolicyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var board: ClockBoard
        var release: QEMUUnderTest
        var clock: RTCClockSource
        /// How far a reading may be off: of a counter that is read by its host's frequency, or written by guest code.
        var slack = Span.milliseconds(1)

        var testDescription: String { "\(board.name), QEMU \(release), clock=\(clock.rawValue)" }
    }

    static let rows: [Row] = QEMUUnderTest.all.flatMap { release in
        [
            Row(board: .pcHPET, release: release, clock: .vm),
            Row(board: .pcHPET, release: release, clock: .host),
            Row(board: .riscvTime, release: release, clock: .vm),
            Row(board: .riscvTime, release: release, clock: .host),
        ]
            + [RTCClockSource.vm, .host].flatMap { clock in
                [ClockBoard.pcTSC, .armCounter, .pseriesTimebase].map {
                    Row(board: $0, release: release, clock: clock, slack: .milliseconds(150))
                }
            }
    }

    static let kvmRows: [Row] = QEMUUnderTest.all.flatMap { release in
        [
            Row(board: .pcKVM, release: release, clock: .vm, slack: .milliseconds(150)),
            Row(board: .pcKVM, release: release, clock: .host, slack: .milliseconds(150)),
            Row(board: .q35KVM, release: release, clock: .vm, slack: .milliseconds(150)),
        ]
    }

    static let moves: [(ClockPolicy, ClockScope)] = [
        (.continue, .all), (.offset(.seconds(3_600)), .rtc), (.offset(.seconds(100)), .all), (.host, .all),
        (.at(HostInstant(nanosecondsSinceEpoch: 1_907_757_296_000_000_000)), .all),
    ]

    @Test("Under TCG it goes on where it stopped, or as far ahead as the real-time clock", arguments: rows)
    func tcg(row: Row) async throws {
        try await prove(row)
    }

    @Test(
        "Under KVM the clock page does too",
        .enabled(if: KVMUnderTest.problem == nil, Comment(rawValue: KVMUnderTest.problem ?? "")),
        arguments: kvmRows
    )
    func kvm(row: Row) async throws {
        try await prove(row)
    }

    private func prove(_ row: Row) async throws {
        guard let binary = try await ClockBench.shared.binary(for: row.board, release: row.release) else { return }
        let trial = try await ClockLanes.shared.run {
            try await ClockTrial.begin(row.board, release: row.release, clock: row.clock, binary: binary)
        }
        try await ClockLanes.pause(until: trial.stoppedAt + .milliseconds(3_200))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (policy, scope) in Self.moves {
                group.addTask {
                    try await ClockLanes.shared.run {
                        let resumption = try await trial.resume(binary: binary, policy: policy, scope: scope)
                        try check(row, trial, policy, scope, resumption)
                        await resumption.qemu.quit()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(throws: ClockError.self) {
            try trial.clocks.plan(policy: .offset(.seconds(-1)), scope: .all, resumeAt: hostNow())
        }
    }

    private func check(
        _ row: Row,
        _ trial: ClockTrial,
        _ policy: ClockPolicy,
        _ scope: ClockScope,
        _ resumption: ClockResumption
    ) throws {
        let before = try #require(trial.pausedCounter)
        let after = try #require(resumption.runningCounter)
        let rtcStopped = rtc(trial)
        // The clocksource goes as far as the real-time clock: by what the guest read of that, to a second.
        let shift: TimeWindow
        switch (policy, scope) {
        case (_, .rtc), (.continue, _): shift = TimeWindow(0, 0)
        case (.offset(let span), _): shift = TimeWindow(span.nanoseconds, span.nanoseconds)
        case (.host, _):
            let now = resumption.resumeAt.nanosecondsSinceEpoch
            shift = TimeWindow(now - rtcStopped.to, now - rtcStopped.from)
        case (.at(let instant), _):
            let then = instant.nanosecondsSinceEpoch
            shift = TimeWindow(then - rtcStopped.to, then - rtcStopped.from)
        }
        let window = TimeWindow(before.ns, before.ns).later(
            by: after.from - resumption.resumed.to + Span(nanoseconds: shift.from) - row.slack,
            to: after.to - resumption.resumed.from + Span(nanoseconds: shift.to) + row.slack
        )
        #expect(
            window.mayShow(after.ns, resolution: 1),
            "\(policy), scope \(scope): the guest's clocksource reads \(after.ns), it should be in \(window)"
        )
        // And the real-time clock reads what it would have without.
        let wanted = rtcStopped.later(by: Span(nanoseconds: 0), to: Span(nanoseconds: 0))
        let goal: TimeWindow =
            switch policy {
            case .continue: wanted
            case .offset(let span): wanted.later(by: span, to: span)
            case .host: TimeWindow(resumption.resumeAt.nanosecondsSinceEpoch, resumption.resumeAt.nanosecondsSinceEpoch)
            case .at(let instant): TimeWindow(instant.nanosecondsSinceEpoch, instant.nanosecondsSinceEpoch)
            }
        let running = resumption.running
        let instant = (from: resumption.resumeAt, to: resumption.resumeAt)
        let began = trial.standsStill ? resumption.resumed : instant
        var seen = goal.later(by: running.from - began.to, to: running.to - began.from)
        // A clock of whole seconds that follows the host's begins its second when the host does, not when the policy would have it.
        if trial.board.resolution == 1_000_000_000, !trial.standsStill {
            seen = seen.later(by: .zero - .seconds(1), to: .seconds(1))
        }
        #expect(
            seen.mayShow(running.ns, resolution: trial.board.resolution),
            "\(policy), scope \(scope): the guest's real-time clock reads \(running.ns), it should be in \(seen)"
        )
    }

    /// What the guest's real-time clock may have been when it stopped.
    private func rtc(_ trial: ClockTrial) -> TimeWindow {
        if trial.standsStill, let paused = trial.paused {
            return TimeWindow(shown: paused.ns, resolution: trial.board.resolution)
        }
        return TimeWindow(shown: trial.running.ns, resolution: trial.board.resolution)
            .later(
                by: trial.stopped.from - trial.running.to,
                to: trial.stopped.to - trial.running.from
            )
    }
}
