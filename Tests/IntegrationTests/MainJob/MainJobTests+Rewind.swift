import ControlInstance
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test("Ten times back to one checkpoint, and every run is the first one again", arguments: LabManifest.releases)
    func rewind(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            try await pair.continues()
            try await pair.rewinds(to: "s1", times: 10)
        }
    }

    @Test("A rewind that is refused leaves what ran as a checkpoint, and says so", arguments: LabManifest.releases)
    func rewindRefused(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release)
            try #require(try await lab.up(spec).outcome == .done)
            try #require(try await lab.checkpoint("bare", as: "old").outcome == .done)
            let state = "'\(try await lab.control.show("bare", "old").folder)/machines/pc/state.qemu'"
            // What can be seen without loading it is seen while the machine still runs.
            _ = try Shell.output("printf x >> \(state)")
            let refusal = await #expect(throws: ControlError.self) { _ = try await lab.rewind("bare", to: "old") }
            #expect(refusal?.exitCode == 6, "\(refusal as Any)")
            #expect(try await lab.control.simulation(named: "bare").summary.state == .running)
            // Damage in its RAM is not.
            _ = try Shell.output("truncate -s -1 \(state)")
            let half = "$(($(stat -c %s \(state)) / 2))"
            _ = try Shell.output("printf fermata | dd of=\(state) bs=1 seek=\(half) conv=notrunc status=none")
            let report = try await lab.rewind("bare", to: "old")
            #expect(report.outcome != .done && report.exitCode != 0 && report.kept == "s1", "\(report.reasons)")
            #expect(report.reasons.first?.code == "rewind-incomplete", "\(report.reasons)")
            #expect(lab.processes().isEmpty)
            let summary = try await lab.control.simulation(named: "bare").summary
            #expect(summary.state == .suspended && summary.checkpoint == "s1")
            #expect(try await lab.resume("bare").outcome == .done)
        }
    }
}
