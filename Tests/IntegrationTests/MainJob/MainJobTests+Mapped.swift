import ControlInstance
import GuestClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "RAM in a mapped file: refused by name where QEMU cannot, otherwise as good as the stream",
        arguments: LabManifest.releases
    )
    func mapped(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.idle(release)
            spec.machines[0].ramWay = .mapped
            if release.major < 9 {
                try await expectMappedRefused(lab, spec)
            } else {
                try #require(try await lab.up(spec).outcome == .done)
                _ = try await #require(lab.consoles(of: "idle")["guest"]).wait(for: "ready") { $0.event == "ready" }
                try await expectJump("mapped", lab, .continue, rtc: .zero, way: .mapped)
                try await expectJump("mapped, patched", lab, .offset(.seconds(3600)), rtc: .seconds(3600), way: .mapped)
            }
        }
    }

    /// Suspends and resumes the one guest of `LabManifest.idle`.
    private func expectJump(_ step: String, _ lab: Lab, _ policy: ClockPolicy, rtc: Span, way: RAMWay) async throws {
        let tag = String(step.filter { $0.isLetter })
        let before = try await #require(lab.consoles(of: "idle")["guest"]).clocks("\(tag)-before")
        let suspended = try await lab.suspend("idle")
        try #require(suspended.outcome == .done, "\(step): \(suspended.reasons)")
        #expect(suspended.machines.map(\.ram?.way) == [way])
        #expect(lab.processes().isEmpty)
        try await Task.sleep(for: .seconds(1))
        let resumed = try await lab.resume("idle", nil, policy)
        try #require(resumed.outcome == .done, "\(step): \(resumed.reasons)")
        let after = try await #require(lab.consoles(of: "idle")["guest"]).clocks("\(tag)-after")
        let jump = ClockJump(
            before: before,
            after: after,
            stoppedAt: try #require(suspended.machines.first?.stoppedAt),
            resumedAt: try #require(resumed.machines.first?.resumedAt)
        )
        jump.expect(step, rtc: rtc)
    }

    private func expectMappedRefused(_ lab: Lab, _ spec: SimulationSpec) async throws {
        let up = try await lab.up(spec)
        if up.outcome == .done {
            let suspend = try await lab.suspend(spec.name)
            #expect(suspend.outcome == .refused && suspend.exitCode == 3)
            #expect(suspend.reasons.map(\.code) == ["ram-way-unsupported"], "\(suspend.reasons)")
            #expect(try await lab.machines(of: spec.name).values.map(\.state) == [.running])
            #expect(try await lab.control.log(spec.name).isEmpty)
        } else {
            #expect(up.outcome == .refused && up.exitCode == 3)
            #expect(up.reasons.map(\.code) == ["ram-way-unsupported"], "\(up.reasons)")
            #expect(lab.processes().isEmpty)
        }
    }
}
