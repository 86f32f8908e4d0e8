import GuestClock
import Testing
import Time

/// QEMU before 10.2 forgets the timers of RISC-V processors; a guest that waits for one waits for ever.
@Suite("RISC-V guests that wait for a timer")
struct RISCVTimerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var guest: String
        var release: QEMUUnderTest

        var testDescription: String { "\(guest), QEMU \(release)" }
    }

    static let rows = QEMUUnderTest.all.flatMap { release in
        ["riscv-mtimer", "riscv-stimer"].map { Row(guest: $0, release: release) }
    }

    /// A guest that was stopped while its interrupt was pending takes it after the load and arms its timer anew, repaired or not;
    /// only one that was stopped while it waited is lost.
    private static let attempts = 6

    @Test("They tick on after a resume, which without the repair they do not", arguments: rows)
    func ticks(row: Row) async throws {
        let board = ClockBoard.riscvTicks(row.guest)
        guard let binary = try await ClockBench.shared.binary(for: board, release: row.release) else { return }
        for attempt in 1...Self.attempts {
            let trial = try await ClockLanes.shared.run {
                try await ClockTrial.begin(board, release: row.release, clock: .vm, binary: binary)
            }
            let before = try #require(trial.pausedCounter?.ns)
            #expect(before > 10, "the guest does not tick even before")
            if attempt == 1 { try await ClockLanes.pause(until: trial.stoppedAt + .milliseconds(3_200)) }
            let repaired = try await ticks(board, trial, binary, patching: true)
            #expect(repaired > 20, "\(repaired) ticks in a second")
            if try await ticks(board, trial, binary, patching: false) <= 1 { return }
        }
        Issue.record("this QEMU keeps timers by itself: the repair is not needed any more")
    }

    /// How often the guest's timer goes off within a second after a resume.
    private func ticks(
        _ board: ClockBoard,
        _ trial: ClockTrial,
        _ binary: String,
        patching: Bool
    ) async throws -> Int64 {
        try await ClockLanes.shared.run {
            let resumption = try await trial.resume(binary: binary, policy: .continue, scope: .rtc, patching: patching)
            let before = try #require(trial.pausedCounter?.ns)
            #expect(resumption.pausedCounter?.ns == before)
            try await Task.sleep(for: .seconds(1))
            let after = try board.counter?(resumption.qemu.qtest) ?? 0
            await resumption.qemu.quit()
            return after - before
        }
    }
}
