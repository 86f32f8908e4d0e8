import ControlInstance
import GuestClock
import HostClock
import Hypervisor
import HypervisorAPI
import QMP
import Testing
import Time

extension MainJobTests {
    @Test("What cannot be done is refused with reasons and changes nothing", arguments: LabManifest.releases)
    func refusals(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.bare(release)
            let monitor = lab.folder.file("hand.sock")
            spec.machines[0].arguments = ["-qmp", "unix:\(monitor),server=on,wait=off"]
            try #require(try await lab.up(spec).outcome == .done)
            let before = try await lab.machines(of: "bare")

            try await expectRefused(lab, .at(.now - .seconds(1)), "instant-past")
            try await expectRefused(lab, .in(.milliseconds(1)), "instant-past", "instant-too-near")

            // Somebody at the monitor pauses the machine: that is theirs, and stays so.
            let hand = try await QMPConnection.connect(to: QMPAddress(parsing: "unix:\(monitor)"))
            try await hand.stop()
            try await expectRefused(lab, .asap, "machine-not-running", state: .paused)
            try await hand.cont()
            await hand.close()

            try await expectBusy(lab)
            #expect(try await lab.machines(of: "bare").mapValues(\.processID) == before.mapValues(\.processID))

            _ = try await lab.control.down("bare")
            #expect(lab.processes().isEmpty)
            let error = await #expect(throws: ControlError.self) { try await lab.suspend("bare") }
            #expect(error?.exitCode == 3 && error?.reasons.map(\.code) == ["simulation-not-running"], "\(error as Any)")
            let unknown = await #expect(throws: ControlError.self) { try await lab.suspend("nobody") }
            #expect(unknown?.isNotFound == true, "\(unknown as Any)")
        }
    }

    private func expectRefused(
        _ lab: Lab,
        _ when: When,
        _ codes: String...,
        state: MachineStatus.State = .running
    ) async throws {
        let report = try await lab.suspend("bare", as: "never", when)
        #expect(report.outcome == .refused && report.exitCode == 3, "\(codes): \(report.outcome)")
        #expect(!report.reasons.isEmpty && report.reasons.allSatisfy { codes.contains($0.code) }, "\(report.reasons)")
        #expect(try await lab.machines(of: "bare").values.map(\.state) == [state], "\(codes)")
        #expect(try await lab.control.log("bare").isEmpty)
        #expect(try Shell.output("find '\(lab.folder.path)/checkpoints' -type f").isEmpty)
    }

    /// Of two at once one goes on, and the other is told why not.
    private func expectBusy(_ lab: Lab) async throws {
        let first = try await lab.control.suspend(SaveRequest(simulation: "bare", when: .in(.seconds(4))))
        let second = await #expect(throws: ControlError.self) { try await lab.suspend("bare") }
        #expect(second?.exitCode == 3 && second?.reasons.map(\.code) == ["busy"], "\(second as Any)")
        let down = await #expect(throws: ControlError.self) { try await lab.control.down("bare") }
        #expect(down?.reasons.map(\.code) == ["busy"], "\(down as Any)")
        try lab.control.cancel(first)
        let report = try await lab.control.result(of: first)
        #expect(report.outcome == .cancelled && report.exitCode == 130, "\(report.outcome), \(report.reasons)")
        #expect(try await lab.machines(of: "bare").values.map(\.state) == [.running])
    }
}
