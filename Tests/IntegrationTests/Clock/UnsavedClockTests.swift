import GuestClock
import Testing
import Time

@Suite("Clocks that cannot be controlled")
struct UnsavedClockTests {
    @Test("The i.MX clock that QEMU 7.2 does not save is reported, and nothing is promised for it")
    func snvs() async throws {
        guard let board = ClockBoard.all.first(where: { $0.device == "imx7.snvs" }),
            let binary = QEMUUnderTest.old.binary(board.architecture)
        else {
            print("SKIPPED: imx7.snvs, QEMU \(QEMUUnderTest.old): qemu-system-arm is not installed")
            return
        }
        try await ClockLanes.shared.run {
            let trial = try await ClockTrial.begin(board, release: .old, clock: .vm, binary: binary)
            let reading = try #require(trial.clocks.state.readings.first { $0.device == "imx7.snvs" })
            #expect(!reading.controllable)
            #expect(reading.readsNs == nil)
            let plan = try trial.clocks.plan(policy: .host, scope: .rtc, resumeAt: hostNow())
            #expect(plan.notes.contains { $0.contains("imx7.snvs") })
        }
    }
}
