import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Of a checkpoint of two hosts the other one's part comes here first, a piece at a time.
struct ExportAcrossHostsTests {
    private static let away = HypervisorError(code: "host-unreachable", message: "nobody answers")

    private func suspended(patience: Span = .seconds(20)) async throws -> (Bench, ControlInstance) {
        let bench = try Bench()
        var options = Bench.options
        options.transferPatience = patience
        let control = try bench.control(options: options)
        try await bench.up(control)
        try #require(try await bench.suspend(control).outcome == .done)
        return (bench, control)
    }

    private func reads(_ bench: Bench) -> [String] {
        bench.right.world.withLock { $0.calls }.filter { $0.hasPrefix("read") }
    }

    private func expectNothingLeft(of bench: Bench) {
        #expect(((try? FileManager.default.contentsOfDirectory(atPath: "\(bench.home)/exports")) ?? []).isEmpty)
    }

    @Test func `what was lost on the way is asked for again from where it stopped`() async throws {
        let (bench, control) = try await suspended()
        bench.right.world.withLock { $0.reads = [nil, Self.away, Self.away, nil] }
        let bytes = try await Transfer.archive(control, "sim", "s1")
        let file = "machines/c/state.qemu"
        #expect(reads(bench) == [0, 2, 2, 2, 4].map { "read \(file) \($0)" })
        let there = try Bench()
        #expect(try await Transfer.take(bytes, try there.control()).resumable)
        #expect(try Data(contentsOf: URL(filePath: "\(there.home)/checkpoints/sim/s1/\(file)")) == Data("state".utf8))
        expectNothingLeft(of: bench)
        while !bench.right.world.withLock({ $0.calls }).contains(where: { $0.hasPrefix("remove exports/") }) {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(
            bench.left.world.withLock { $0.calls }.allSatisfy { !$0.hasPrefix("read") },
            "what is here stays where it is"
        )
    }

    @Test func `a host that stays away ends it, with host, file and how far it came`() async throws {
        let (bench, control) = try await suspended(patience: .milliseconds(50))
        bench.right.world.withLock { $0.reads = [nil] + [HypervisorError?](repeating: Self.away, count: 1000) }
        let error = await #expect(throws: ControlError.self) { _ = try await control.export("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["host-unreachable"])
        for word in ["host right", "machines/c/state.qemu", "2 of 5 bytes", "nobody answers"] {
            #expect(error?.description.contains(word) == true, "\(word): \(String(describing: error))")
        }
        expectNothingLeft(of: bench)
    }

    @Test func `what arrives is compared with what was saved`() async throws {
        let (bench, control) = try await suspended()
        try await control.sealed(control.checkpointSet.place(of: "s1", simulation: "sim"))
        let damage = Reason(code: "checkpoint-corrupt", machine: "c", message: "it has another digest")
        bench.left.world.withLock { $0.verdict = [damage] }
        let error = await #expect(throws: ControlError.self) { _ = try await control.export("sim", "s1") }
        #expect(error?.reasons == [damage] && error?.exitCode == 6)
        expectNothingLeft(of: bench)
    }

    @Test func `a file of another size or none is no file of the checkpoint`() async throws {
        let (bench, control) = try await suspended()
        let path = "\(bench.home)/checkpoints/sim/s1/machines/c/state.qemu"
        for change in [{ try Data("st".utf8).write(to: $0) }, { try FileManager.default.removeItem(at: $0) }] {
            try change(URL(filePath: path))
            let error = await #expect(throws: ControlError.self) { _ = try await control.export("sim", "s1") }
            #expect(error?.exitCode == 6 && error?.reasons.map(\.code) == ["checkpoint-corrupt"])
            #expect(error?.description.contains("host right") == true)
            expectNothingLeft(of: bench)
        }
    }

    @Test func `no room for what arrives ends it at once`() async throws {
        let (bench, control) = try await suspended()
        bench.left.world.withLock { $0.writes = [nil, HypervisorError(code: "no-space", message: "full")] }
        let error = await #expect(throws: ControlError.self) { _ = try await control.export("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["no-space"] && reads(bench).count == 2)
        expectNothingLeft(of: bench)
    }

    @Test func `what a daemon that died had other hosts make is cleared away by the next`() async throws {
        let bench = try Bench()
        try FileManager.default.createDirectory(atPath: "\(bench.home)/exports/one", withIntermediateDirectories: true)
        let control = try bench.control()
        #expect(await control.recover().problems.isEmpty)
        while !bench.right.world.withLock({ $0.calls }).contains("remove exports/one") {
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
