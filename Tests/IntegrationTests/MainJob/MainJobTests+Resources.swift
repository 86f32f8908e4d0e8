import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test("Resources are taken and given back in balance, whatever happens", arguments: LabManifest.releases)
    func resources(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let ledger = Ledger(folder: lab.folder)
            var spec = try LabManifest.bare(release, name: "held")
            spec.resources = ["vpn", "licence"].map(ledger.resource)

            try #require(try await lab.up(spec).outcome == .done)
            #expect(try ledger.held() == ["licence": 1, "vpn": 1])
            #expect(try await lab.suspend("held").outcome == .done)
            #expect(try ledger.held() == [:])
            #expect(try await lab.resume("held").outcome == .done)
            #expect(try ledger.held() == ["licence": 1, "vpn": 1])
            #expect(try await lab.suspend("held", as: nil, .in(.milliseconds(1))).outcome == .refused)
            #expect(try ledger.held() == ["licence": 1, "vpn": 1])

            _ = try await lab.control.down("held")
            #expect(try ledger.held() == [:])

            try ledger.fail("licence")
            let refused = try await lab.resume("held", "s1")
            #expect(refused.outcome == .refused && refused.exitCode == 3, "\(refused.outcome)")
            #expect(!refused.reasons.isEmpty && refused.reasons.allSatisfy { $0.message.contains("licence") })
            #expect(try ledger.held() == [:])
            #expect(lab.processes().isEmpty)

            try ledger.fail(nil)
            #expect(try await lab.resume("held", "s1").outcome == .done)
            #expect(try ledger.held() == ["licence": 1, "vpn": 1])
            _ = try await lab.control.down("held")
            #expect(try ledger.held() == [:])
        }
    }
}
