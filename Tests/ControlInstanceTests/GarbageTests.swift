import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// What is removed by a rule, with what else, and what never.
struct GarbageTests {
    /// `s1` to `s4` in a row, and `side` beside `s4`; the simulation is down.
    private func tree(_ bench: Bench) async throws -> ControlInstance {
        let control = try bench.control()
        try await bench.up(control)
        for _ in 1...4 {
            _ = try await bench.suspend(control)
            _ = try await bench.resume(control)
        }
        _ = try await control.down("sim")
        _ = try await bench.resume(control, "s3")
        _ = try await bench.suspend(control, as: "side")
        _ = try await control.down("sim")
        // Nothing is written into them any more when tests change them.
        for name in ["s1", "s2", "s3", "s4", "side"] { _ = try await control.seal("sim", name) }
        return control
    }

    private func refusal(_ body: () async throws -> Void) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await body() }
    }

    private func names(_ report: GarbageReport, _ kind: GarbageReport.Kind = .checkpoint) -> [String] {
        report.items.filter { $0.kind == kind }.map(\.name)
    }

    /// Makes the disks of one lie on those of another.
    private func lay(_ upper: String, on lower: String, _ bench: Bench) throws {
        let folder = "\(bench.home)/checkpoints/sim"
        let set = try CheckpointSet(folder: "\(bench.home)/checkpoints")
        var manifest = try set.load(set.place(of: upper, simulation: "sim"))
        manifest.machines[0].disks = [
            FrozenDisk(
                id: "d",
                format: "qcow2",
                file: .sample("machines/a/d.qcow2", role: .disk),
                backingFiles: ["\(folder)/\(lower)/machines/a/d.qcow2"]
            )
        ]
        try DurableFolder.remove("\(folder)/\(upper)")
        try set.publish(manifest, at: set.place(of: upper, simulation: "sim"))
    }

    @Test func aBranchIsRemovedAsAWhole() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        #expect(try await control.remove("sim", "s3", recursive: true) == ["side", "s4", "s3"])
        #expect(bench.folders == ["s1", "s2"])
        #expect(try await control.log("sim").map(\.checkpoint) == ["s1", "s2"])
        #expect(try await control.remove("sim", "s1") == ["s1"])
        #expect(try await control.log("sim").map(\.parent) == [nil])
    }

    @Test func nothingOfABranchIsRemovedWhenSomethingStandsAgainstIt() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        _ = try await bench.resume(control, "s4")
        let standing = await refusal { try await control.remove("sim", "s3", recursive: true) }
        #expect(standing?.reasons.map(\.code) == ["checkpoint-in-use"])
        #expect(standing?.description.contains("sim@s4") == true)
        _ = try await control.down("sim")
        try lay("s4", on: "side", bench)
        let needed = await refusal { try await control.remove("sim", "side", recursive: true) }
        #expect(needed?.description.contains("disks of sim@s4") == true, "\(needed as Any)")
        #expect(bench.folders == ["s1", "s2", "s3", "s4", "side"])
        // Of what goes with it nothing is needed.
        #expect(try await control.remove("sim", "s2", recursive: true).count == 4)
    }

    @Test func oldOnesAreRemovedByARuleAndOnlyThen() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        #expect(try await control.collectGarbage(GarbageRequest()).items.isEmpty)
        #expect(try await control.collectGarbage(GarbageRequest(keep: 2, olderThan: .seconds(3600))).items.isEmpty)
        let dry = try await control.collectGarbage(GarbageRequest(dryRun: true, keep: 2))
        #expect(dry.dryRun && names(dry) == ["sim@s3", "sim@s2", "sim@s1"] && dry.bytes > 0)
        #expect(bench.folders.count == 5)
        _ = try await control.annotate(
            AnnotateRequest(simulation: "sim", checkpoint: "s2", labels: ["keep": ""])
        )
        let report = try await control.collectGarbage(GarbageRequest(simulation: "sim", keep: 2))
        #expect(names(report) == ["sim@s3", "sim@s1"] && report.spared.isEmpty)
        #expect(bench.folders == ["s2", "s4", "side"])
        // A simulation that is down still stands somewhere.
        let spared = try await control.collectGarbage(GarbageRequest(olderThan: .zero))
        #expect(names(spared) == ["sim@s4"] && spared.spared.map(\.code) == ["checkpoint-in-use"])
        #expect(bench.folders == ["s2", "side"])
        #expect(names(try await control.collectGarbage(GarbageRequest(olderThan: .zero, all: true))) == ["sim@side"])
        #expect(bench.folders == ["s2"])
    }

    @Test func whatOthersNeedIsSparedAndSaidWhy() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        try lay("side", on: "s2", bench)
        _ = try await bench.resume(control, "s1")
        let report = try await control.collectGarbage(GarbageRequest(keep: 1))
        #expect(names(report) == ["sim@s4", "sim@s3"])
        #expect(report.spared.map(\.code) == ["checkpoint-in-use", "checkpoint-in-use"], "\(report.spared)")
        #expect(bench.folders == ["s1", "s2", "side"])
        // When what lies on it goes too, it is needed no more.
        _ = try await control.down("sim")
        let all = GarbageRequest(dryRun: true, keep: 0, all: true)
        #expect(names(try await control.collectGarbage(all)) == ["sim@side", "sim@s2", "sim@s1"])
        #expect(
            names(try await control.collectGarbage(GarbageRequest(keep: 0, all: true))).count == 3
                && bench.folders.isEmpty
        )
    }

    @Test func whatNeverBecameWholeIsRemovedUnlessItIsJustBeingMade() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        let partial = "\(bench.home)/checkpoints/sim/old.partial"
        try DurableFolder.create("\(partial)/machines")
        try DurableFolder.write([UInt8](repeating: 1, count: 10_000), to: "\(partial)/machines/state")
        _ = try await bench.resume(control, "s4")
        let save = SaveRequest(simulation: "sim", checkpoint: "new", when: .in(.milliseconds(700)))
        let id = try await control.suspend(save)
        let busy = try await control.collectGarbage(GarbageRequest())
        #expect(busy.items.isEmpty && busy.spared.map(\.code) == ["busy"])
        _ = try await control.result(of: id)
        let report = try await control.collectGarbage(GarbageRequest())
        #expect(names(report, .partial) == [partial] && report.bytes >= 10_000)
        #expect(bench.folders == ["new", "s1", "s2", "s3", "s4", "side"])
    }

    @Test func clonesThatLeftNothingAreForgotten() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        let source = ResumeRequest(simulation: "sim", checkpoint: "s1")
        for name in ["gone", "runs", "saved"] {
            for clone in try await control.clone(CloneRequest(source, as: name)) {
                _ = try await control.result(of: clone.operation)
            }
        }
        _ = try await control.result(of: control.suspend(SaveRequest(simulation: "saved")))
        for name in ["gone", "saved"] { _ = try await control.down(name) }
        let report = try await control.collectGarbage(GarbageRequest())
        #expect(names(report, .simulation) == ["gone"])
        #expect(try await control.simulations().map(\.simulation) == ["runs", "saved", "sim"])
    }

    @Test func whatIsForgottenStandsNowhereAndItsCheckpointsFallToTheRule() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        _ = try await bench.resume(control, "s4")
        let running = await refusal { _ = try await control.forget("sim") }
        #expect(running?.reasons.map(\.code) == ["simulation-not-down"] && running?.exitCode == 3)
        _ = try await bench.suspend(control, as: "last")
        let suspended = await refusal { _ = try await control.forget("sim") }
        #expect(suspended?.reasons.map(\.code) == ["simulation-not-down"])
        _ = try await control.down("sim")
        let checkpoints = ["s1", "s2", "s3", "s4", "side", "last"]
        let dry = try await control.forget("sim", dryRun: true)
        #expect(dry.dryRun && dry.checkpoints == checkpoints)
        #expect(try await control.simulations().map(\.simulation) == ["sim"])
        #expect(try await control.forget("sim").checkpoints == checkpoints)
        #expect(try await control.simulations().isEmpty && bench.folders.count == 6)
        // Nor does another start bring it back.
        let next = try bench.control()
        #expect(await next.recover().problems.isEmpty)
        #expect(try await next.simulations().isEmpty)
        let twice = await refusal { _ = try await control.forget("sim") }
        #expect(twice?.reasons.map(\.code) == ["simulation-not-found"] && twice?.exitCode == 1)
        #expect(names(try await control.collectGarbage(GarbageRequest(simulation: "sim", keep: 1))).count == 5)
        #expect(try await control.log("sim").map(\.checkpoint) == ["last"])
        // An up of that name finds what is left.
        try await bench.up(control)
        #expect(try await control.log("sim").map(\.checkpoint) == ["last"])
    }

    @Test func aWrongRuleIsRefused() async throws {
        let bench = try Bench()
        let control = try await tree(bench)
        let negative = await refusal { _ = try await control.collectGarbage(GarbageRequest(keep: -1)) }
        #expect(negative?.reasons.map(\.code) == ["count-invalid"] && negative?.exitCode == 2)
        let unknown = await refusal { _ = try await control.collectGarbage(GarbageRequest(simulation: "no")) }
        #expect(unknown?.reasons.map(\.code) == ["simulation-not-found"])
    }

    @Test func aFileOfSeveralNamesAndAHoleCountOnce() throws {
        let folder = try TemporaryFolder()
        try DurableFolder.write([UInt8](repeating: 7, count: 1 << 20), to: "\(folder.path)/a")
        let one = DiskUse.bytes(of: folder.path)
        try FileManager.default.linkItem(atPath: "\(folder.path)/a", toPath: "\(folder.path)/b")
        #expect(one >= 1 << 20 && DiskUse.bytes(of: folder.path) == one)
        #expect(FileManager.default.createFile(atPath: "\(folder.path)/hole", contents: nil))
        let handle = try #require(fopen("\(folder.path)/hole", "r+"))
        ftruncate(fileno(handle), 1 << 30)
        fclose(handle)
        #expect(DiskUse.bytes(of: folder.path) < 2 << 20)
    }

    @Test func whatOthersShareIsNotFreedBeforeTheLastOfThemGoes() throws {
        let folder = try TemporaryFolder()
        for name in ["one", "two"] { try DurableFolder.create("\(folder.path)/\(name)") }
        try DurableFolder.write([UInt8](repeating: 7, count: 1 << 20), to: "\(folder.path)/one/a")
        try FileManager.default.linkItem(atPath: "\(folder.path)/one/a", toPath: "\(folder.path)/two/a")
        var use = DiskUse()
        use.add("\(folder.path)/one")
        #expect(use.bytes >= 1 << 20 && use.freedBytes < 1 << 20)
        use.add("\(folder.path)/two")
        #expect(use.bytes < 2 << 20 && use.freedBytes >= 1 << 20)
    }
}
