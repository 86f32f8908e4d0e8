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
            // Whole as far as its manifest tells.
            let folder = try await lab.control.show("bare", "old").folder
            _ = try Shell.output("for file in '\(folder)'/machines/pc/state*; do printf x >> \"$file\"; done")
            let report = try await lab.rewind("bare", to: "old")
            #expect(report.outcome == .corrupt && report.exitCode == 6 && report.kept == "s1", "\(report.reasons)")
            #expect(report.reasons.first?.code == "rewind-incomplete", "\(report.reasons)")
            #expect(lab.processes().isEmpty)
            let summary = try await lab.control.simulation(named: "bare").summary
            #expect(summary.state == .suspended && summary.checkpoint == "s1")
            #expect(try await lab.resume("bare").outcome == .done)
        }
    }
}
