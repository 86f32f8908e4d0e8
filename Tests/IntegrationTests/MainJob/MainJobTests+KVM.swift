import ControlInstance
import GuestClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "Under KVM a guest's clock page goes on where it stopped, or moves with scope all, as the reports say",
        .enabled(if: KVMUnderTest.problem == nil, Comment(rawValue: KVMUnderTest.problem ?? "")),
        arguments: LabManifest.releases
    )
    func kvm(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let machine = BoardMachine.kvm
            let spec = SimulationSpec(name: "kvm", machines: [try machine.spec(release, lab.folder)])
            try #require(try await lab.up(spec).outcome == .done)
            try await expectKVMClock("continue", lab, .continue, moved: .zero, pause: .seconds(1))
            try await expectKVMClock(
                "all",
                lab,
                .offset(.seconds(100)),
                moved: .seconds(100),
                pause: .milliseconds(300)
            )
        }
    }

    private func expectKVMClock(
        _ step: String,
        _ lab: Lab,
        _ policy: ClockPolicy,
        moved: Span,
        pause: Span
    ) async throws {
        let machine = BoardMachine.kvm
        let rtc = try machine.rtc(lab.folder)
        let counter = try await machine.counter(lab.folder)
        let suspended = try await lab.suspend("kvm", as: step)
        try #require(suspended.outcome == .done, "\(step): \(suspended.reasons)")
        #expect(lab.processes().isEmpty)
        try await Task.sleep(for: pause.duration)
        let resumed = try await lab.resume("kvm", nil, policy, .all)
        try #require(resumed.outcome == .done, "\(step): \(resumed.reasons)")
        let counterAfter = try await machine.counter(lab.folder)
        let rtcAfter = try machine.rtc(lab.folder)

        let stopped = try #require(suspended.machines.first)
        let wentOn = try #require(resumed.machines.first)
        let stoppedAt = try #require(stopped.stoppedAt)
        let resumedAt = try #require(wentOn.resumedAt)
        func jump(_ before: GuestReading, _ after: GuestReading) -> ReadingJump {
            ReadingJump(before: before, after: after, stoppedAt: stoppedAt, resumedAt: resumedAt)
        }
        jump(rtc, rtcAfter).expect("\(step), RTC", moved)
        jump(counter, counterAfter).expect("\(step), kvmclock", moved, resolution: 1, slack: .milliseconds(50))

        // The reports tell of the same clock.
        let saved = try #require(stopped.clock?.kvmclockNs, "\(stopped.notes)")
        let ran = saved - counter.ns
        let most = (stoppedAt - counter.from).nanoseconds + 150_000_000
        #expect(ran >= -150_000_000 && ran <= most, "\(step): kvmclock \(saved), the guest read \(counter)")
        #expect(wentOn.clockBefore?.kvmclockNs == saved)
        #expect(wentOn.clockAfter?.kvmclockNs == saved + moved.nanoseconds)
    }
}
