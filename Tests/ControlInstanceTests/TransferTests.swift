import Archive
import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// A checkpoint leaves one control instance as an archive and comes to another.
struct TransferTests {
    /// Suspended to `s1`.
    private func suspended() async throws -> (Bench, ControlInstance) {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        try #require(try await bench.suspend(control).outcome == .done)
        return (bench, control)
    }

    @Test func `what is exported here is a checkpoint there, with its origin, and can be resumed`() async throws {
        let (_, source) = try await suspended()
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let original = try await source.show("sim", "s1").manifest
        let bench = try Bench()
        let control = try bench.control()
        let report = try await Transfer.take(bytes, control)
        #expect(report.simulation == "sim" && report.checkpoint == "s1" && report.resumable)
        #expect(report.machines == ["a", "b", "c"])
        let manifest = try await control.show("sim", "s1").manifest
        #expect(manifest.id == report.id && manifest.id != original.id)
        #expect(
            manifest.importedFrom
                == CheckpointManifest.Provenance(
                    id: original.id,
                    simulation: "sim",
                    name: "s1",
                    hosts: ["left", "right"]
                )
        )
        #expect(manifest.machines.map(\.host) == ["left", "left", "right"], "where they are described to be")
        #expect(manifest.machines.map(\.stoppedAt) == original.machines.map(\.stoppedAt))
        #expect(manifest.instant == original.instant && manifest.parent == nil)
        #expect(try await control.simulations().first?.state == .down)
        for machine in manifest.machines {
            let file = "\(bench.home)/checkpoints/sim/s1/\(machine.state.path)"
            #expect(try Data(contentsOf: URL(filePath: file)) == Data("state".utf8))
        }
        let resumed = try await bench.resume(control, "s1")
        #expect(resumed.outcome == .done, "\(resumed.reasons)")
        #expect(Set(bench.states.keys) == ["a", "b", "c"])
    }

    @Test func `it can be called otherwise, beside one that is there`() async throws {
        let (bench, control) = try await suspended()
        let bytes = try await Transfer.archive(control, "sim", "s1")
        let other = try await Transfer.take(bytes, control, ImportRequest(simulation: "other", checkpoint: "x"))
        #expect(other.simulation == "other" && other.checkpoint == "x")
        let manifest = try await control.show("other", "x").manifest
        #expect(manifest.spec.name == "other" && manifest.simulation == "other" && manifest.name == "x")
        let beside = try await Transfer.take(bytes, control, ImportRequest(checkpoint: "s2"))
        #expect(beside.simulation == "sim" && beside.checkpoint == "s2")
        #expect(bench.folders == ["s1", "s2"])
        #expect(try await control.simulation(named: "sim").summary.state == .suspended, "which stands where it stood")
        let again = try await Transfer.archive(control, "other", "x")
        let third = try await Transfer.take(again, control, ImportRequest(simulation: "third"))
        #expect(third.importedFrom.id == manifest.id && third.checkpoint == "x")
    }

    @Test func `hooks that came along are named, with what they would run`() async throws {
        let bench = try Bench()
        let source = try bench.control()
        var spec = Bench.spec
        spec.hooks = [
            HookSpec(event: .afterResume, command: ["mail", "root"]), HookSpec(event: .failed, command: ["x"]),
        ]
        #expect(try await source.result(of: source.up(UpRequest(spec: spec))).outcome == .done)
        try #require(try await bench.suspend(source).outcome == .done)
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let report = try await Transfer.take(bytes, try Bench().control())
        #expect(report.notes.count == 2, "\(report.notes)")
        #expect(
            report.notes.first?.contains("after-resume") == true && report.notes.first?.contains("mail root") == true
        )
    }

    @Test func `what the host lacks is told, and hinders no import`() async throws {
        let (_, source) = try await suspended()
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let bench = try Bench()
        bench.left.world.withLock { $0.obstacles = [Reason(code: "qemu-missing", machine: "a", message: "no QEMU")] }
        let report = try await Transfer.take(bytes, try bench.control())
        #expect(!report.resumable && report.reasons.map(\.code) == ["qemu-missing"])
        #expect(bench.folders == ["s1"])
    }

    @Test func `a name that is taken is refused before anything is read, if it is said`() async throws {
        let (bench, control) = try await suspended()
        let before = bench.arrived
        // Nobody ever sends anything.
        let error = await #expect(throws: ControlError.self) {
            try await control.importCheckpoint(
                ImportRequest(simulation: "sim", checkpoint: "s1"),
                from: ByteChannel()
            )
        }
        #expect(error?.exitCode == 3 && error?.reasons.map(\.code) == ["checkpoint-exists"])
        let bytes = try await Transfer.archive(control, "sim", "s1")
        let known = await #expect(throws: ControlError.self) { try await Transfer.take(bytes, control) }
        #expect(known?.exitCode == 3 && known?.reasons.map(\.code) == ["checkpoint-exists"])
        #expect(bench.arrived == before)
        _ = try await control.show("sim", "s1")
    }

    @Test func `of two imports to one name at once, one is refused`() async throws {
        let (_, source) = try await suspended()
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let bench = try Bench()
        let control = try bench.control()
        let results = await withTaskGroup(of: ControlError?.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    do throws(ControlError) {
                        _ = try await Transfer.take(bytes, control)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0 == nil } == 1, "\(results)")
        #expect(results.compactMap { $0 }.allSatisfy { $0.exitCode == 3 }, "\(results)")
        #expect(bench.folders == ["s1"])
    }

    @Test func `what is damaged here leaves as no archive`() async throws {
        let (_, control) = try await suspended()
        for machine in ["a", "b"] {
            let path = try await control.show("sim", "s1").folder + "/machines/\(machine)/state.qemu"
            let whole = try Data(contentsOf: URL(filePath: path))
            let export = try await control.export("sim", "s1")
            try Data("STATE".utf8).write(to: URL(filePath: path))
            var bytes: [UInt8] = []
            let error = await #expect(throws: ControlError.self) { try await export.write { bytes += $0 } }
            #expect(error?.exitCode == 6 && error?.reasons.map(\.code) == ["checkpoint-corrupt"])
            let there = try Bench()
            let archive = bytes
            let refusal = await #expect(throws: ControlError.self) { try await Transfer.take(archive, there.control()) }
            #expect(refusal?.exitCode == 6 && refusal?.reasons.map(\.code) == ["archive-corrupt"])
            #expect(there.arrived.isEmpty)
            try whole.write(to: URL(filePath: path))
        }
    }

    @Test func `a checkpoint that is not there cannot be exported`() async throws {
        let (bench, control) = try await suspended()
        for (simulation, checkpoint, code) in [
            ("sim", "s9", "checkpoint-not-found"), ("no", "s1", "checkpoint-not-found"),
        ] {
            let error = await #expect(throws: ControlError.self) {
                _ = try await control.export(simulation, checkpoint)
            }
            #expect(error?.reasons.map(\.code) == [code])
        }
        try FileManager.default.removeItem(atPath: "\(bench.home)/checkpoints/sim/s1/machines/b")
        let error = await #expect(throws: ControlError.self) { _ = try await control.export("sim", "s1") }
        #expect(error?.exitCode == 6)
        #expect(((try? FileManager.default.contentsOfDirectory(atPath: "\(bench.home)/exports")) ?? []).isEmpty)
    }

    @Test func `a database that cannot be written leaves nothing of it`() async throws {
        let (_, source) = try await suspended()
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let bench = try Bench()
        let control = try bench.control(store: UnwritableStore(store: bench.store))
        let error = await #expect(throws: ControlError.self) { try await Transfer.take(bytes, control) }
        #expect(error?.reasons.map(\.code) == ["database-failed"])
        #expect(bench.arrived.isEmpty)
    }

    @Test func `what just arrives is nobody's to collect, and its name is taken`() async throws {
        let (_, source) = try await suspended()
        let bytes = try await Transfer.archive(source, "sim", "s1")
        let control = try Bench().control()
        let place = control.checkpointSet.place(of: "s1", simulation: "sim")
        try control.begin(.imported, place)
        try control.checkpointSet.reserve(place)
        #expect(try await control.collectGarbage(GarbageRequest()).items.isEmpty)
        #expect(DurableFolder.exists(place.partial))
        let second = await #expect(throws: ControlError.self) { try await Transfer.take(bytes, control) }
        #expect(second?.reasons.map(\.code) == ["busy"] && second?.description.contains("being imported") == true)
        control.endTaking(place)
        #expect(try await control.collectGarbage(GarbageRequest()).items.map(\.name) == [place.partial])
        #expect(try await Transfer.take(bytes, control).resumable)
        // It is over: what came may go again.
        #expect(try await control.remove("sim", "s1") == ["s1"])
    }

    @Test func `what was received waits for whoever is at the simulation`() async throws {
        let control = try Bench().control()
        try await control.claim("sim", .verb("something"))
        async let claimed: Void = control.claimPatiently("sim", .verb("import"))
        try await Task.sleep(for: .milliseconds(300))
        control.release("sim")
        try await claimed
        let busy = await #expect(throws: ControlError.self) { try await control.claim("sim", .verb("other")) }
        #expect(busy?.description.contains("'import'") == true)
    }

    @Test func `a simulation that is busy is told so`() async throws {
        let (_, control) = try await suspended()
        let bytes = try await Transfer.archive(control, "sim", "s1")
        try await control.claim("sim", .verb("something"))
        let error = await #expect(throws: ControlError.self) {
            try await Transfer.take(bytes, control, ImportRequest(checkpoint: "s2"))
        }
        #expect(error?.exitCode == 3 && error?.reasons.map(\.code) == ["busy"])
    }

    @Test(arguments: [
        ImportRequest(simulation: "Lab"), ImportRequest(checkpoint: "../x"), ImportRequest(binaries: ["qemu"]),
    ])
    func `a wrong request is refused before anything is read`(_ request: ImportRequest) async throws {
        let control = try Bench().control()
        let error = await #expect(throws: ControlError.self) {
            try await control.importCheckpoint(request, from: ByteChannel())
        }
        #expect(error?.exitCode == 2)
    }

    @Test func `what a daemon that died had under way is cleared away by the next`() async throws {
        let bench = try Bench()
        let first = try bench.control()
        let partial = first.checkpointSet.place(of: "s1", simulation: "sim")
        try first.checkpointSet.reserve(partial)
        try Data("half".utf8).write(to: URL(filePath: "\(partial.partial)/state"))
        let scratch = ExportScratch(path: "\(first.exportsFolder)/one")
        try scratch.create()
        try Data("half".utf8).write(to: URL(filePath: "\(scratch.path)/disk"))
        let recovery = await bench.recovered()
        #expect(recovery.problems.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: partial.partial))
        #expect(!FileManager.default.fileExists(atPath: first.exportsFolder))
    }
}

extension Bench {
    fileprivate func recovered() async -> RecoveryReport {
        guard let control = try? control() else { return RecoveryReport() }
        return await control.recover()
    }
}

/// A database on a volume that is full.
private struct UnwritableStore: ForwardingStore, UnsharedStore {
    let store: any Store

    func apply(_ change: StoreChange) async throws(StoreError) { throw StoreError("disk full") }
}
