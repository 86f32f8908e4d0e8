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

    @Test("They tick on after a resume, which without the repair they do not", arguments: rows)
    func ticks(row: Row) async throws {
        let board = ClockBoard.riscvTicks(row.guest)
        guard let binary = try await ClockBench.shared.binary(for: board, release: row.release) else { return }
        let trial = try await ClockLanes.shared.run {
            try await ClockTrial.begin(board, release: row.release, clock: .vm, binary: binary)
        }
        let before = try #require(trial.pausedCounter?.ns)
        #expect(before > 10, "the guest does not tick even before")
        try await ClockLanes.pause(until: trial.stoppedAt + .milliseconds(3_200))
        for patching in [true, false] {
            try await ClockLanes.shared.run {
                let resumption = try await trial.resume(
                    binary: binary,
                    policy: .continue,
                    scope: .rtc,
                    patching: patching
                )
                #expect(resumption.pausedCounter?.ns == before)
                try await Task.sleep(for: .seconds(1))
                let after = try board.counter?(resumption.qemu.qtest) ?? 0
                if patching {
                    #expect(after > before + 20, "\(after - before) ticks in a second")
                } else {
                    #expect(after <= before + 1, "this QEMU keeps timers by itself: the repair is not needed any more")
                }
                await resumption.qemu.quit()
            }
        }
    }
}
