import ControlInstance
import HostClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test("Reports say what the host lacks for exact instants, and nothing of its clock that nobody knows")
    func precision() async throws {
        try await Lab.with { lab in
            let release = try #require(LabManifest.releases.first)
            let spec = try LabManifest.bare(release)
            // Machines that are launched on a busy host take their time; the report is the same.
            var reports = [try await lab.up(spec, .in(.seconds(5)))]
            try #require(reports[0].outcome == .done, "\(reports[0].reasons)")
            reports.append(try await lab.suspend(spec.name))
            reports.append(try await lab.resume(spec.name))
            let lacks = try DeadlineThreads().privileges.shortcomings
            for report in reports {
                try #require(report.outcome == .done, "\(report.kind): \(report.reasons)")
                for shortcoming in lacks {
                    let told = report.notes.filter { $0.hasSuffix(shortcoming) }.count
                    #expect(told == 1, "\(report.kind) says once what is missing: \(report.notes)")
                }
                #expect(report.notes.contains { $0.contains("not permitted") } == !lacks.isEmpty)
                #expect((report.clockErrorBound == nil) == (clockSynchronisation().errorBound == nil))
                #expect(report.clockErrorBound != .zero)
            }
        }
    }
}
