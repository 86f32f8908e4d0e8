import GuestClock
import Testing
import Time

/// Alarms go off at the guest's time, wherever a policy has moved that.
@Suite("Alarms of the PC's clock")
struct RTCAlarmTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var release: QEMUUnderTest
        var clock: RTCClockSource

        var testDescription: String { "QEMU \(release), clock=\(clock.rawValue)" }
    }

    static let rows = QEMUUnderTest.all.flatMap { release in
        [RTCClockSource.vm, .host].map { Row(release: release, clock: $0) }
    }

    /// Seconds of the guest from its start to the alarm; more than it runs before it is stopped.
    private static let ahead: Int64 = 7

    @Test("The alarm goes off in the guest's own second after a pause that was longer than the wait", arguments: rows)
    func fires(row: Row) async throws {
        let board = ClockBoard.with(named: "pc") { board in
            let read = board.read
            board.prepare = { qtest in
                let second = Int(try read(qtest) / 1_000_000_000 + Self.ahead) % 86_400
                func register(_ index: UInt8, _ value: Int) throws {
                    try qtest.outb(0x70, index)
                    try qtest.outb(0x71, UInt8((value / 10) << 4 | value % 10))
                }
                try register(5, second / 3_600)
                try register(3, second / 60 % 60)
                try register(1, second % 60)
                try qtest.outb(0x70, 0x0b)
                try qtest.outb(0x71, 0x22)
                _ = try Self.flags(qtest)
            }
        }
        guard let binary = try await ClockBench.shared.binary(for: board, release: row.release) else { return }
        let trial = try await ClockLanes.shared.run {
            try await ClockTrial.begin(board, release: row.release, clock: row.clock, binary: binary)
        }
        let alarm = try #require(trial.clocks.state.readings.flatMap(\.alarms).first?.firesAtNs)
        try await ClockLanes.pause(until: trial.stoppedAt + .seconds(Self.ahead + 1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            // On time; sooner, as the clock is set forward; not at all yet, as it is set back; at once, since it is jumped over.
            for move in [Int64(0), 3, -2, 3_600] {
                group.addTask {
                    try await ClockLanes.shared.run {
                        let policy: ClockPolicy = move == 0 ? .continue : .offset(.seconds(move))
                        let resumption = try await trial.resume(binary: binary, policy: policy, scope: .rtc)
                        try await Self.watch(resumption, board: board, alarm: alarm, jumped: move == 3_600)
                        await resumption.qemu.quit()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Register C; reading it clears it.
    private static func flags(_ qtest: QtestSocket) throws -> UInt8 {
        try qtest.outb(0x70, 0x0c)
        return try qtest.inb(0x71)
    }

    private static func watch(_ resumption: ClockResumption, board: ClockBoard, alarm: Int64, jumped: Bool) async throws
    {
        let qtest = resumption.qemu.qtest
        let deadline = hostNow() + .seconds(20)
        var before = resumption.running.ns
        while hostNow() < deadline {
            let fired = try flags(qtest) & 0x20 != 0
            let now = try board.read(qtest)
            if fired {
                if jumped {
                    #expect(now - resumption.running.ns <= 2_000_000_000, "an alarm that is past goes off at once")
                } else {
                    #expect(
                        before <= alarm && alarm <= now,
                        "the alarm of \(alarm) went off between \(before) and \(now)"
                    )
                    // No sooner than its second begins: the look before saw none.
                    #expect(now - alarm <= 1_000_000_000)
                }
                return
            }
            before = now
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the alarm of \(alarm) did not go off; the guest's clock reads \(before)")
    }
}
