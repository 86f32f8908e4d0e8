import GuestClock
import Testing
import Time

extension MainJobTests {
    @Test(
        "Machines of five architectures with as many kinds of clocks stop and go on as one, and each ticks on",
        arguments: LabManifest.releases
    )
    func mixed(_ release: QEMUUnderTest) async throws {
        if let problem = LabManifest.mixedProblem(release) {
            print("SKIPPED: the mixed lab on QEMU \(release): \(problem)")
            return
        }
        try await Lab.with { lab in
            let boards: [BoardMachine] = [.base, .baseOnly, .host]
            var mixed = try await MixedFlow(lab, LabManifest.mixed(release, boards, lab.folder), boards: boards)
            // Without the repair of its timer the RISC-V machine would say nothing more after the first resume.
            try await mixed.round("continue", .continue, rtc: .zero, pause: .seconds(3))
            try await mixed.round("hour", .offset(.seconds(3600)), rtc: .seconds(3600), pause: .milliseconds(300))
            try mixed.expectEveryTick()
        }
    }
}
