import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What a suspend leaves for later is done later, however often that is interrupted.
struct SealingTests {
    private static var options: ControlOptions {
        var options = Bench.options
        options.settlePause = .milliseconds(10)
        options.longestSettlePause = .milliseconds(40)
        return options
    }

    /// Disks whose digests only the seal tells.
    private static func suspended(
        _ seals: ScriptedHypervisor.Fault...
    ) async throws -> (Bench, ControlInstance, CheckpointSet.Place) {
        let bench = try Bench()
        bench.left.world.withLock { world in
            world.seals = seals
            world.disks = [
                FrozenDisk(
                    id: "root",
                    format: "qcow2",
                    file: CheckpointFile(role: .disk, path: "machines/x/disk-root.qcow2", bytes: 7, sha256: nil),
                    backingFiles: []
                )
            ]
        }
        // One machine: a path is in a checkpoint once.
        let control = try bench.control(options: options)
        let spec = SimulationSpec(name: "sim", machines: [.sample("a")])
        let up = try await control.result(of: control.up(UpRequest(spec: spec)))
        try #require(up.outcome == .done, "\(up.reasons)")
        let report = try await bench.suspend(control, as: "s1")
        try #require(report.outcome == .done, "\(report.reasons)")
        // What the first seal is to do it does, and not one that a test asks for later: it begins in its own time.
        for _ in 0..<1000 where bench.left.calls.contains("seal") == false {
            try await Task.sleep(for: .milliseconds(10))
        }
        return (bench, control, control.checkpointSet.place(of: "s1", simulation: "sim"))
    }

    private func disk(_ control: ControlInstance) async throws -> CheckpointFile {
        let manifest = try await control.show("sim", "s1").manifest
        return try #require(manifest.machines.first?.disks.first?.file)
    }

    @Test func aSuspendIsSealedByItself() async throws {
        let (bench, control, place) = try await Self.suspended()
        let summary = try await control.seal("sim", "s1")
        #expect(summary.sealed && control.checkpointSet.isSealed(place))
        #expect(try await disk(control).sha256 == String(repeating: "b", count: 64))
        #expect(try await control.log("sim").map(\.sealed) == [true])
        #expect(bench.left.calls.count { $0 == "seal" } == 1)
    }

    @Test func whatFailsIsTriedAgain() async throws {
        let (bench, control, place) = try await Self.suspended(.refuse("no-space"), .refuse("no-space"))
        for _ in 0..<500 where !control.checkpointSet.isSealed(place) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(control.checkpointSet.isSealed(place))
        #expect(bench.left.calls.count { $0 == "seal" } == 3)
    }

    @Test func whoWaitsForItHearsWhyItIsNot() async throws {
        // By itself, because somebody waits, and for the reasons.
        let lost = ScriptedHypervisor.Fault.refuse("checkpoint-lost")
        let (_, control, place) = try await Self.suspended(lost, lost, lost)
        let error = await #expect(throws: ControlError.self) { try await control.seal("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["checkpoint-lost"])
        #expect(!control.checkpointSet.isSealed(place))
    }

    /// A hypervisor that leaves a file out has not sealed it.
    @Test func aSealThatDoesNotTellOfAllIsNone() async throws {
        let (bench, control, place) = try await Self.suspended(.wrong)
        for _ in 0..<500 where !control.checkpointSet.isSealed(place) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(control.checkpointSet.isSealed(place))
        #expect(bench.left.calls.count { $0 == "seal" } == 2)
    }

    @Test func theNextDaemonGoesOnWithIt() async throws {
        let (bench, control, place) = try await Self.suspended(.hang)
        await control.endSealing()
        #expect(!control.checkpointSet.isSealed(place))
        let next = try bench.control(options: Self.options)
        let recovery = await next.recover()
        #expect(recovery.problems.isEmpty, "\(recovery.problems)")
        #expect(try await next.seal("sim", "s1").sealed)
    }

    @Test func removingDoesNotWaitForIt() async throws {
        let (bench, control, _) = try await Self.suspended(.hang)
        _ = try await control.down("sim")
        try await control.remove("sim", "s1")
        #expect(bench.folders == [])
    }

    @Test func whatWasInMemoryOnlyIsGoneAfterALossOfPower() async throws {
        let (bench, control, _) = try await Self.suspended(.hang)
        await control.endSealing()
        bench.left.world.withLock {
            $0.lost = [Reason(code: "checkpoint-lost", machine: "a", message: "its RAM was in memory")]
        }
        let next = try bench.control(options: Self.options)
        let recovery = await next.recover()
        #expect(recovery.problems.map(\.code) == ["checkpoint-lost"])
        #expect(recovery.problems.first?.message.contains("sim@s1") == true)
        #expect(bench.folders == [])
        let simulation = try await next.simulation(named: "sim").summary
        #expect(simulation.state == .down && simulation.checkpoint == nil)
        #expect(try await next.log("sim").isEmpty)
    }

    @Test(arguments: [("\"id\"", "\"it\""), ("bbbb", "cccc"), ("\"format\" : 1", "\"format\" : 2"), ("root", "boot")])
    func aSealThatLiesIsCorrupt(_ old: String, _ new: String) async throws {
        let (bench, control, place) = try await Self.suspended()
        defer { withExtendedLifetime(bench) {} }
        _ = try await control.seal("sim", "s1")
        let path = "\(place.final)/\(CheckpointSet.sealName)"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        let changed = text.replacing(old, with: new)
        #expect(changed != text)
        try Data(changed.utf8).write(to: URL(filePath: path))
        let damaged = #expect(throws: ControlError.self) { try control.checkpointSet.load(place) }
        #expect(damaged?.exitCode == 6 && damaged?.description.contains("seal.json") == true)
        // With a digest that fits it is still of no use, unless only a digest in it is another.
        let digest = "\(HexDigest.sha256(Array(changed.utf8)))  seal.json\n"
        try Data(digest.utf8).write(to: URL(filePath: "\(place.final)/\(CheckpointSet.sealDigestName)"))
        if old == "bbbb" {
            #expect(try control.checkpointSet.load(place).machines.first?.disks.first?.file.sha256?.first == "c")
        } else {
            #expect(throws: ControlError.self) { try control.checkpointSet.load(place) }
        }
    }
}
