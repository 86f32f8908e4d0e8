import GuestClock
import Testing
import Time

/// Alarms that a clock keeps as a time of the guest: QEMU arms them again when it loads, by what the policy has made of the clock.
@Suite("Alarms of the Arm and Goldfish clocks")
struct RegisterAlarmTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var alarm: AlarmRegisters
        var release: QEMUUnderTest
        var clock: RTCClockSource

        var testDescription: String { "\(alarm.board), QEMU \(release), clock=\(clock.rawValue)" }
    }

    static let rows = [AlarmRegisters.pl031, .goldfish].flatMap { alarm in
        QEMUUnderTest.all.flatMap { release in
            [RTCClockSource.vm, .host].map { Row(alarm: alarm, release: release, clock: $0) }
        }
    }

    /// Seconds of the guest from its start to the alarm; more than it runs before it is stopped.
    private static let ahead: Int64 = 4

    @Test("The alarm goes off in the guest's own second after a pause that was longer than the wait", arguments: rows)
    func fires(row: Row) async throws {
        let board = ClockBoard.with(named: row.alarm.board) { board in
            let (prepare, read) = (board.prepare, board.read)
            board.prepare = { qtest in
                try prepare(qtest)
                try row.alarm.set(qtest, read(qtest) / 1_000_000_000 + Self.ahead)
                let fired = try row.alarm.hasFired(qtest)
                #expect(!fired, "it must not be past already")
            }
        }
        guard let binary = try await ClockBench.shared.binary(for: board, release: row.release) else { return }
        let trial = try await ClockLanes.shared.run {
            try await ClockTrial.begin(board, release: row.release, clock: row.clock, binary: binary)
        }
        let alarm = try #require(trial.clocks.state.readings.flatMap(\.alarms).first?.firesAtNs)
        try await ClockLanes.pause(until: trial.stoppedAt + .seconds(Self.ahead + 1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            // On time; sooner, as the clock is set forward; later, as it is set back; at once, since it is jumped over.
            for move in [Int64(0), 1, -1] + (row.alarm.goesOffWhenPast ? [3_600] : []) {
                group.addTask {
                    let policy: ClockPolicy = move == 0 ? .continue : .offset(.seconds(move))
                    let resumption = try await ClockLanes.shared.run {
                        try await trial.resume(binary: binary, policy: policy, scope: .rtc)
                    }
                    if move == 3_600 {
                        try await row.alarm.expectAtOnce(resumption)
                    } else {
                        try await row.alarm.watch(resumption, board: board, alarm: alarm)
                    }
                    await resumption.qemu.quit()
                }
            }
            try await group.waitForAll()
        }
    }
}

/// How a guest sets the alarm of a clock, and sees that it went off.
struct AlarmRegisters: Sendable {
    var board: String
    /// To whole seconds since the epoch.
    var set: @Sendable (QtestSocket, Int64) throws -> Void
    var hasFired: @Sendable (QtestSocket) throws -> Bool
    /// Whether QEMU sees to an alarm that is past when it loads; a PL031 waits until its 32 bits come round.
    var goesOffWhenPast: Bool

    /// The match register, with its interrupt let through; the raw interrupt status.
    static let pl031 = AlarmRegisters(
        board: "virt (arm)",
        set: { qtest, second in
            try qtest.writel(0x901_0010, 1)
            try qtest.writel(0x901_0004, UInt32(truncatingIfNeeded: second))
        },
        hasFired: { try $0.readl(0x901_0014) & 1 != 0 },
        goesOffWhenPast: false
    )

    /// High word, then the low one, which arms it; the interrupt 11 as the controller has it.
    static let goldfish = AlarmRegisters(
        board: "virt (riscv64)",
        set: { qtest, second in
            let ns = second * 1_000_000_000
            try qtest.writel(0x10_1010, 1)
            try qtest.writel(0x10_100c, UInt32(truncatingIfNeeded: ns >> 32))
            try qtest.writel(0x10_1008, UInt32(truncatingIfNeeded: ns))
        },
        hasFired: { try $0.readl(0xc00_1000) & 1 << 11 != 0 },
        goesOffWhenPast: true
    )

    func expectAtOnce(_ resumption: ClockResumption) async throws {
        for _ in 0..<50 {
            if try hasFired(resumption.qemu.qtest) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("\(board): an alarm that is past goes off at once")
    }

    /// Looks until it goes off: in its second, and neither when the machine is loaded nor when it goes on.
    func watch(_ resumption: ClockResumption, board: ClockBoard, alarm: Int64) async throws {
        let qtest = resumption.qemu.qtest
        let deadline = hostNow() + .seconds(20)
        var last = resumption.running.ns
        #expect(last < alarm, "the clock reads \(last) at the resume: the alarm of \(alarm) is not ahead any more")
        while hostNow() < deadline {
            // Read on both sides of the look: QEMU sees to its timers before it answers again.
            let before = try board.read(qtest)
            let fired = try hasFired(qtest)
            let after = try board.read(qtest)
            if fired {
                #expect(
                    last <= alarm && alarm <= after && after - alarm <= 1_000_000_000,
                    "the alarm of \(alarm) went off between \(last) and \(after)"
                )
                return
            }
            last = before
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the alarm of \(alarm) did not go off; the guest's clock reads \(last)")
    }
}
