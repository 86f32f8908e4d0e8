import GuestClock
import Testing
import Time

/// Each row of the table in docs/clocks.md: what the guest itself reads, on a real QEMU, before and after a real pause.
@Suite("Real-time clocks, as their guests read them")
struct RTCPolicyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var board: ClockBoard
        var release: QEMUUnderTest
        var clock: RTCClockSource
        /// `-rtc base=` with a date.
        var fixedBase: Bool

        var testDescription: String {
            let base = fixedBase == (clock == .vm) ? "" : ", base=\(fixedBase ? "a date" : "utc")"
            return "\(board.device) on \(board.name), QEMU \(release), clock=\(clock.rawValue)\(base)"
        }
    }

    static let rows: [Row] = ClockBoard.all.flatMap { board in
        board.releases.flatMap { release in
            // A clock that follows the base has to be told apart from one that keeps its own time.
            let bases = ["aspeed.rtc", "ds1338"].contains(board.device) ? [true, false] : [false]
            return [Row(board: board, release: release, clock: .vm, fixedBase: true)]
                + bases.map { Row(board: board, release: release, clock: .host, fixedBase: $0) }
        }
    }

    static let policies: [ClockPolicy] = [
        .continue, .offset(.seconds(3_600)), .offset(.seconds(-300)), .host,
        .at(HostInstant(nanosecondsSinceEpoch: 1_907_757_296_000_000_000)),
    ]

    @Test("A guest reads after a pause what the policy says", arguments: rows)
    func policies(row: Row) async throws {
        guard let binary = try await ClockBench.shared.binary(for: row.board, release: row.release) else { return }
        let trial = try await ClockLanes.shared.run {
            try await ClockTrial.begin(
                row.board,
                release: row.release,
                clock: row.clock,
                binary: binary,
                fixedBase: row.fixedBase
            )
        }
        try checkState(trial)
        try await ClockLanes.pause(until: trial.stoppedAt + .milliseconds(3_200))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for policy in Self.policies {
                group.addTask {
                    try await ClockLanes.shared.run {
                        let resumption = try await trial.resume(binary: binary, policy: policy, scope: .rtc)
                        check(trial, policy, resumption)
                        await resumption.qemu.quit()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// What the stream tells is what the guest read.
    private func checkState(_ trial: ClockTrial) throws {
        let board = trial.board
        let reading = try #require(trial.clocks.state.readings.first { $0.device == board.device })
        let ns = try #require(reading.readsNs, "\(reading.reason ?? "")")
        #expect(reading.controllable)
        if let paused = trial.paused, trial.standsStill {
            #expect(board.shows(paused.ns, for: ns))
        }
        // Read while it ran, `from`…`to` before it stopped.
        let stopped = TimeWindow(shown: trial.running.ns, resolution: board.resolution)
            .later(by: trial.stopped.from - trial.running.to, to: trial.stopped.to - trial.running.from)
        let saveTook =
            board.runsFromTransfer && trial.clock == .host ? trial.savedAt - trial.savedAfter : .zero
        let window = stopped.later(by: .zero - saveTook, to: saveTook)
        #expect(
            window.mayShow(
                board.resolution == 1_000_000_000 ? ns / board.resolution * board.resolution : ns,
                resolution: board.resolution
            ),
            "state \(ns), guest \(window)"
        )
    }

    private func check(_ trial: ClockTrial, _ policy: ClockPolicy, _ resumption: ClockResumption) {
        let board = trial.board
        let wanted = wanted(trial, policy, resumption)
        let row = Comment(rawValue: "\(policy), wanted \(wanted)")
        if let paused = resumption.paused {
            if policy == .continue, let before = trial.paused {
                #expect(paused.ns == before.ns, row)
            }
            #expect(wanted.mayShow(paused.ns, resolution: board.resolution), row)
            if let expected = resumption.plan.expected.readings.first(where: { $0.device == board.device })?.readsNs {
                #expect(board.shows(paused.ns, for: expected), row)
            }
        }
        // On the virtual clock time goes on from when the machine really did, on the host's from the instant.
        let running = resumption.running
        let since: (from: Span, to: Span) =
            trial.standsStill
            ? (running.from - resumption.resumed.to, running.to - resumption.resumed.from)
            : (running.from - resumption.resumeAt, running.to - resumption.resumeAt)
        checkPromise(trial, policy, resumption, since: since)
        let window = wanted.later(by: since.from, to: since.to)
        #expect(
            window.mayShow(running.ns, resolution: board.resolution),
            "\(policy): the guest reads \(running.ns), it should be in \(window)"
        )
    }

    /// To the last digit: what was promised is what the policy says of what the state told, and what the guest reads.
    private func checkPromise(
        _ trial: ClockTrial,
        _ policy: ClockPolicy,
        _ resumption: ClockResumption,
        since: (from: Span, to: Span)
    ) {
        let board = trial.board
        // By how much the load missed its planned instant, is not known better than the window that is checked anyway.
        guard !(board.runsFromTransfer && trial.clock == .host),
            let state = trial.clocks.state.readings.first(where: { $0.device == board.device })?.readsNs,
            let promised = resumption.plan.expected.readings.first(where: { $0.device == board.device })?.readsNs
        else { return }
        let keepsItsPhase = board.device == "mc146818rtc"
        let goal: Int64 =
            switch policy {
            case .continue: state
            case .offset(let span): state + span.nanoseconds
            case .host: resumption.resumeAt.nanosecondsSinceEpoch
            case .at(let instant): instant.nanosecondsSinceEpoch
            }
        #expect(
            keepsItsPhase ? promised == goal : board.shows(promised, for: goal),
            "\(policy): \(promised), not \(goal)"
        )

        let running = resumption.running
        if board.resolution == 1_000_000_000, !keepsItsPhase, !trial.standsStill {
            // Its second is the host's.
            let begin = resumption.resumeAt.wholeSeconds
            let window = TimeWindow(promised, promised).later(
                by: .seconds(running.from.wholeSeconds - begin),
                to: .seconds(running.to.wholeSeconds - begin)
            )
            #expect(window.mayShow(running.ns, resolution: 1), "\(policy): \(running.ns), it should be in \(window)")
        } else {
            // The rest of the second that a clock has is not known when it shows whole ones.
            let rest = board.resolution == 1_000_000_000 && !keepsItsPhase ? board.resolution - 1 : 0
            let step = [1, 1_000_000_000].contains(board.resolution) ? 0 : board.resolution
            let window = TimeWindow(promised - step, promised + rest + step).later(by: since.from, to: since.to)
            #expect(
                window.mayShow(running.ns, resolution: board.resolution),
                "\(policy): \(running.ns), it should be in \(window)"
            )
        }
    }

    /// What the guest's clock should be at the instant, by what the guest itself read before.
    private func wanted(_ trial: ClockTrial, _ policy: ClockPolicy, _ resumption: ClockResumption) -> TimeWindow {
        let board = trial.board
        let stopped =
            if trial.standsStill, let paused = trial.paused {
                TimeWindow(shown: paused.ns, resolution: board.resolution)
            } else {
                TimeWindow(shown: trial.running.ns, resolution: board.resolution)
                    .later(
                        by: trial.stopped.from - trial.running.to,
                        to: trial.stopped.to - trial.running.from
                    )
            }
        var wanted: TimeWindow
        switch policy {
        case .continue: wanted = stopped
        case .offset(let span): wanted = stopped.later(by: span, to: span)
        case .host:
            wanted = TimeWindow(resumption.resumeAt.nanosecondsSinceEpoch, resumption.resumeAt.nanosecondsSinceEpoch)
        case .at(let instant): wanted = TimeWindow(instant.nanosecondsSinceEpoch, instant.nanosecondsSinceEpoch)
        }
        switch board.resolution {
        case 1: break
        // A second begins when the device clock's does, not when the policy would have it.
        case 1_000_000_000: wanted = wanted.later(by: .zero - .seconds(1), to: .seconds(1))
        // Rounded to a step twice, when it is set and when it is read.
        default:
            wanted = wanted.later(by: Span(nanoseconds: -2 * board.resolution), to: Span(nanoseconds: board.resolution))
        }
        if board.runsFromTransfer, trial.clock == .host {
            let uncertain = resumption.loadTook + (trial.savedAt - trial.savedAfter)
            wanted = wanted.later(by: .zero - uncertain, to: uncertain)
        }
        return wanted
    }
}
