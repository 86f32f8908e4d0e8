import Glibc
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// What checkpoints may take of the disk.
struct QuotaTests {
    private func spec(quota: UInt64?) -> SimulationSpec {
        var spec = SimulationSpec(name: "sim", machines: [.sample("a")], quotaBytes: quota)
        spec.machines[0].memoryBytes = 1 << 20
        return spec
    }

    private func up(_ control: ControlInstance, quota: UInt64?) async throws {
        let report = try await control.result(of: control.up(UpRequest(spec: spec(quota: quota))))
        try #require(report.outcome == .done)
    }

    private func checkpoint(_ control: ControlInstance) async throws {
        let report = try await control.result(of: control.checkpoint(SaveRequest(simulation: "sim")))
        try #require(report.outcome == .done)
    }

    private func refusal(_ body: () async throws -> Void) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await body() }
    }

    @Test func whatMightNotFitIsRefusedBeforeAnythingStops() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await up(control, quota: 2 << 20)
        try await checkpoint(control)
        try DurableFolder.write(
            [UInt8](repeating: 1, count: 1 << 20),
            to: "\(bench.home)/checkpoints/sim/s1/machines/a/state.qemu"
        )
        let error = await refusal { try await checkpoint(control) }
        #expect(error?.reasons.map(\.code) == ["quota-exceeded"] && error?.exitCode == 3)
        for words in ["may take 1 MiB", "sim@s1 (1 MiB)"] {
            #expect(error?.description.contains(words) == true, "\(error as Any)")
        }
        let suspend = await refusal { _ = try await control.suspend(SaveRequest(simulation: "sim")) }
        #expect(suspend?.reasons.map(\.code) == ["quota-exceeded"])
        let goal = ResumeRequest(simulation: "sim", checkpoint: "s1")
        let rewind = await refusal { _ = try await control.rewind(RewindRequest(goal)) }
        #expect(rewind?.reasons.map(\.code) == ["quota-exceeded"])
        #expect(bench.states == ["a": .running] && bench.folders == ["s1"])
        // What is not kept needs no room.
        let report = try await control.result(of: control.rewind(RewindRequest(goal, keeping: .nothing)))
        #expect(report.outcome == .done)
    }

    @Test func whatComesFromElsewhereCountsToo() async throws {
        let first = try Bench()
        let source = try first.control()
        try await first.up(source)
        try #require(try await first.suspend(source).outcome == .done)
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let bench = try Bench()
        var options = Bench.options
        options.quotaBytes = 4096
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: bench.store,
            options: options
        )
        let error = await refusal { _ = try await Transfer.take(bytes, control) }
        #expect(error?.reasons.map(\.code) == ["quota-exceeded"] && error?.exitCode == 3, "\(error as Any)")
        #expect(bench.arrived.isEmpty)
    }

    @Test func whatIsStillToComeToTheDiskCountsByItsFile() throws {
        let folder = try TemporaryFolder()
        try DurableFolder.write([UInt8](repeating: 1, count: 1 << 20), to: "\(folder.path)/elsewhere")
        #expect(symlink("\(folder.path)/elsewhere", "\(folder.path)/ram") == 0)
        #expect(symlink("\(folder.path)/nowhere", "\(folder.path)/gone") == 0)
        #expect(DiskUse.bytes(behind: "\(folder.path)/ram") >= 1 << 20)
        for none in ["elsewhere", "gone", "nowhere"] { #expect(DiskUse.bytes(behind: "\(folder.path)/\(none)") == 0) }
    }

    @Test func allTogetherHaveAQuotaToo() async throws {
        let bench = try Bench()
        var options = Bench.options
        options.quotaBytes = 1 << 19
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: bench.store,
            options: options
        )
        try await up(control, quota: nil)
        let error = await refusal { try await checkpoint(control) }
        #expect(error?.reasons.map(\.code) == ["quota-exceeded"])
        #expect(error?.description.contains("all checkpoints together") == true)
        let findings = await control.doctor().findings
        #expect(findings.contains { $0.subject == "quota" && $0.message.hasSuffix("of 512 KiB") }, "\(findings)")
        let storage = try await control.storage(of: "sim")
        #expect(storage.quotaBytes == nil && storage.totalQuotaBytes == 1 << 19)
        #expect(storage.totalBytes >= storage.usedBytes)
    }

    @Test func withoutOneEverythingFits() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await up(control, quota: nil)
        try await checkpoint(control)
        #expect(try await control.storage(of: "sim").usedBytes > 0)
    }
}
