import HostClock
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Back to an older checkpoint, over hypervisors that fail on demand.
struct RewindTests {
    /// It runs on from `s1`.
    private func running(_ bench: Bench) async throws -> ControlInstance {
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        _ = try await bench.resume(control)
        return control
    }

    private func rewind(
        _ control: ControlInstance,
        to checkpoint: String = "s1",
        keeping: RewindRequest.Keeping = .checkpoint(nil),
        when: When = .asap
    ) async throws -> OperationReport {
        let goal = ResumeRequest(simulation: "sim", checkpoint: checkpoint, when: when)
        return try await control.result(of: control.rewind(RewindRequest(goal, keeping: keeping)))
    }

    private func state(_ control: ControlInstance) async throws -> SimulationSummary {
        try await control.simulation(named: "sim").summary
    }

    private func refusal(_ body: () async throws -> Void) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await body() }
    }

    @Test func whatRanIsKeptAndWhatFollowsBranchesOff() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let report = try await rewind(control)
        #expect(report.outcome == .done && report.kind == .resume && report.checkpoint == "s1" && report.kept == "s2")
        #expect(bench.states == Bench.running)
        let named = try await rewind(control, keeping: .checkpoint("late"))
        #expect(named.kept == "late")
        _ = try await bench.suspend(control, as: "after")
        let parents = try await control.log("sim").map { [$0.checkpoint, $0.parent ?? ""] }
        #expect(parents == [["s1", ""], ["s2", "s1"], ["late", "s1"], ["after", "s1"]])
    }

    @Test func theEventsOfBothAreTold() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let goal = ResumeRequest(simulation: "sim", checkpoint: "s1", when: .in(.milliseconds(300)))
        let id = try await control.rewind(RewindRequest(goal))
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await state(control).state == .suspending)
        var phases: [OperationID: [OperationPhase]] = [:]
        var results: [OperationReport] = []
        for await event in try await control.follow(id) {
            if case .phase(let operation, let phase, _) = event { phases[operation, default: []].append(phase) }
            if case .result(let report) = event { results.append(report) }
        }
        let whole: [OperationPhase] = [.preparing, .prepared, .armed, .happened, .deciding, .finished]
        #expect(phases.count == 2 && phases.values.allSatisfy { $0 == whole })
        #expect(results.map(\.operation) == [id] && results.first?.kept == "s2")
        #expect(try await control.operation(id).report == results.first)
        #expect(try await control.operations(of: "sim", limit: 2).map(\.kind) == [.suspend, .resume])
    }

    @Test func whatIsNotWantedIsEnded() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let report = try await rewind(control, keeping: .nothing, when: .in(.milliseconds(60)))
        #expect(report.outcome == .done && report.kept == nil)
        #expect(bench.states == Bench.running && bench.folders == ["s1"])
    }

    @Test(arguments: ["suspended", "down"])
    func aSimulationThatDoesNotRunIsResumed(_ what: String) async throws {
        let bench = try Bench()
        let control = try await running(bench)
        _ = try await bench.suspend(control)
        if what == "down" { _ = try await control.down("sim") }
        let report = try await rewind(control)
        #expect(report.outcome == .done && report.kept == nil && bench.folders == ["s1", "s2"])
        #expect(try await state(control).checkpoint == "s1")
    }

    @Test func nothingIsStoppedForWhatCanBeKnownBefore() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let missing = await refusal { _ = try await rewind(control, to: "s9") }
        #expect(missing?.reasons.map(\.code) == ["checkpoint-not-found"])
        let taken = await refusal { _ = try await rewind(control, keeping: .checkpoint("s1")) }
        #expect(taken?.reasons.map(\.code) == ["checkpoint-exists"] && taken?.exitCode == 3)
        let past = await refusal {
            _ = try await rewind(control, keeping: .nothing, when: .at(.now - .seconds(1)))
        }
        #expect(past?.reasons.map(\.code) == ["instant-past"])
        let first = try await control.suspend(SaveRequest(simulation: "sim", when: .in(.milliseconds(500))))
        #expect(await refusal { _ = try await rewind(control) }?.reasons.map(\.code) == ["busy"])
        try control.cancel(first)
        _ = try await control.result(of: first)
        for (code, exitCode) in [("file-failed", 3), ("checkpoint-corrupt", 6)] {
            bench.right.world.withLock { $0.obstacles = [Reason(code: code, message: "no")] }
            let obstacle = await refusal { _ = try await rewind(control, keeping: .nothing) }
            #expect(obstacle?.reasons.map(\.code) == [code] && obstacle?.exitCode == exitCode)
        }
        bench.right.world.withLock { $0.obstacles = [] }
        try DurableFolder.write(Array("{}".utf8), to: "\(bench.home)/checkpoints/sim/s1/checkpoint.json")
        let corrupt = await refusal { _ = try await rewind(control) }
        #expect(corrupt?.reasons.map(\.code) == ["checkpoint-corrupt"] && corrupt?.exitCode == 6)
        #expect(bench.states == Bench.running && bench.folders == ["s1"])
    }

    @Test func adoptedMachinesAreNotLeftRunningBesideTheirPast() async throws {
        let bench = try Bench()
        let control = try bench.control()
        for machine in ["a", "b"] {
            _ = try await control.adopt(AdoptRequest(simulation: "sim", machine: machine, monitor: "unix:/none"))
        }
        _ = try await control.result(of: control.checkpoint(SaveRequest(simulation: "sim")))
        let refused = await refusal { _ = try await rewind(control, keeping: .nothing) }
        #expect(refused?.reasons.map(\.code) == ["machine-adopted", "machine-adopted"])
        #expect(bench.states == ["a": .running, "b": .running])
    }

    @Test func aSuspendThatFailsLeavesAllAsItWas() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        bench.right.script(.prepare, .refuse("no-space"))
        let refused = try await rewind(control)
        #expect(refused.outcome == .refused && refused.reasons.map(\.code) == ["no-space"] && refused.kept == nil)
        bench.right.script(.report, .failed("migration-failed"))
        let failed = try await rewind(control)
        #expect(failed.outcome == .failed && failed.reasons.map(\.code) == ["migration-failed"])
        #expect(bench.states == Bench.running && bench.folders == ["s1"])
        #expect(try await bench.store.unfinishedOperations().isEmpty)
        #expect(try await rewind(control).outcome == .done)
    }

    @Test func aResumeThatFailsLeavesWhatWasKept() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        bench.right.script(.report, .late(0), .failed("load-failed"))
        let report = try await rewind(control)
        #expect(report.outcome == .failed && report.kept == "s2")
        #expect(report.reasons.map(\.code) == ["rewind-incomplete", "load-failed"])
        #expect(report.reasons.first?.message.contains("'fermata resume sim'") == true)
        #expect(bench.states.isEmpty)
        let now = try await state(control)
        #expect(now.state == .suspended && now.checkpoint == "s2")
        #expect(try await bench.resume(control).outcome == .done)
    }

    /// "Refused" would say that nothing has happened.
    @Test(arguments: [true, false])
    func aResumeThatIsRefusedIsAFailureOfTheRewind(_ keeps: Bool) async throws {
        let bench = try Bench()
        let control = try await running(bench)
        if keeps {
            bench.right.script(.prepare, .late(0), .refuse("no-space"))
        } else {
            bench.right.script(.prepare, .refuse("no-space"))
        }
        let report = try await rewind(control, keeping: keeps ? .checkpoint(nil) : .nothing)
        #expect(report.outcome == .failed && report.exitCode == 1)
        #expect(report.reasons.map(\.code) == ["rewind-incomplete", "no-space"])
        #expect(try await state(control).state == (keeps ? .suspended : .down))
        #expect(try await control.operation(report.operation).report == report)
        #expect(try await rewind(control).outcome == .done)
    }

    @Test(arguments: [true, false])
    func itIsCalledOffAsAWhole(_ keeps: Bool) async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let goal = ResumeRequest(simulation: "sim", checkpoint: "s1", when: .in(.seconds(20)))
        let id = try await control.rewind(RewindRequest(goal, keeping: keeps ? .checkpoint(nil) : .nothing))
        try await Task.sleep(for: .milliseconds(50))
        try control.cancel(id)
        let report = try await control.result(of: id)
        #expect(report.outcome == .cancelled && report.kept == nil)
        #expect(bench.states == Bench.running && bench.folders == ["s1"])
    }

    @Test func aSuspendOfUnknownOutcomeIsSettledLikeAnyOther() async throws {
        let bench = try Bench()
        let control = try await running(bench)
        let refusals = Array(repeating: ScriptedHypervisor.Fault.refuse("x"), count: 40)
        for host in [bench.left, bench.right] { host.world.withLock { $0.script = [.commit: refusals] } }
        let report = try await rewind(control)
        #expect(report.outcome == .unknown && report.exitCode == 5)
        #expect(try await state(control).state == .unknown)
        for host in [bench.left, bench.right] { host.world.withLock { $0.script = [:] } }
        #expect(try await rewind(control).outcome == .done)
        #expect(bench.states == Bench.running && bench.folders == ["s1", "s2"])
    }

    /// Killed before and after every message and write: what ran runs on, or is in `s2`, or `s1` runs in its place.
    @Test(arguments: 1...56)
    func aDaemonThatDiesLosesNothing(_ limit: Int) async throws {
        let bench = try Bench()
        _ = try await running(bench)
        let fuse = Fuse(limit: limit)
        let first = try bench.control(store: FusedStore(store: bench.store, fuse: fuse)) {
            FusedHypervisor(hypervisor: $0, fuse: fuse)
        }
        let work = Task { try await rewind(first) }
        _ = await fuse.blownOrEnded(work)
        // What was armed acts alone.
        try await Task.sleep(for: .milliseconds(40))
        let second = try bench.control()
        let recovery = await second.recover()
        #expect(recovery.operations.allSatisfy { $0.outcome != .unknown }, "\(recovery.operations)")
        let now = try await state(second)
        switch now.state {
        case .running: #expect(bench.states == Bench.running && now.checkpoint == "s1")
        case .suspended:
            #expect(bench.states.isEmpty && now.checkpoint == "s2")
            let interrupted = recovery.operations.flatMap(\.reasons).map(\.code)
            #expect(interrupted.contains("interrupted"), "\(interrupted)")
            #expect(try await bench.resume(second).outcome == .done)
        default: Issue.record("it is \(now.state)")
        }
        #expect(try await bench.store.unfinishedOperations().isEmpty)
    }
}
