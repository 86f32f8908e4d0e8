import FoundationEssentials
import GuestClock
import HostClock
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

struct ControlInstanceTests {
    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch let error as ControlError {
            return error.reasons.first?.code
        } catch {
            return "\(error)"
        }
    }

    @Test func aSimulationGoesThroughItsLife() async throws {
        let bench = try Bench()
        let control = try bench.control()
        let up = try await control.result(of: control.up(UpRequest(spec: Bench.spec)))
        #expect(up.outcome == .done && up.kind == .start && up.exitCode == 0)
        #expect(up.machines.map(\.name) == ["a", "b", "c"] && up.machines.allSatisfy { $0.resumedAt != nil })
        #expect(bench.states == Bench.running)

        let suspended = try await bench.suspend(control)
        #expect(suspended.checkpoint == "s1" && suspended.machines.allSatisfy { $0.stoppedAt != nil })
        #expect(try await control.simulation(named: "sim").summary.state == .suspended)
        #expect(bench.states.isEmpty && bench.folders == ["s1"])

        let resumed = try await bench.resume(control)
        #expect(resumed.checkpoint == "s1" && resumed.policy == .continue && resumed.scope == .rtc)
        #expect(resumed.machines.map(\.clockBefore) == suspended.machines.map(\.clock))
        #expect(resumed.machines.allSatisfy { $0.clockAfter != nil && $0.clockAfter == $0.clock })
        #expect(bench.states == Bench.running)

        #expect(try await control.down("sim").machines == ["a", "b", "c"])
        #expect(bench.states.isEmpty)
        #expect(try await control.simulation(named: "sim").summary.state == .down)
        // Down again, there is nothing to do; and up again it begins anew.
        #expect(try await control.down("sim").machines.isEmpty)
        try await bench.up(control)
        #expect(try await control.simulation(named: "sim").summary.checkpoint == nil)
    }

    @Test func aDownThatCannotReachAHostEndsNothing() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.world.withLock { $0.isOff = true }
        #expect(await code { _ = try await control.down("sim") } == "host-unreachable")
        #expect(bench.states == Bench.running)
        #expect(try await control.simulation(named: "sim").summary.state == .running)
        bench.right.world.withLock { $0.isOff = false }
        #expect(try await control.down("sim").machines == ["a", "b", "c"])
    }

    @Test func theReportSaysWhatTheMachinesOwnStampsSay() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let report = try await bench.suspend(control)
        let deadline = try #require(report.deadline)
        // The double stops its machines 10 and 20 µs late.
        #expect(report.machines.map(\.lateness) == [.microseconds(10), .microseconds(20), .microseconds(10)])
        #expect(report.machines.map { $0.stoppedAt.map { $0 - deadline } } == report.machines.map(\.lateness))
        #expect(report.spread == .microseconds(10))
        #expect(report.clockErrorBound == .microseconds(3), "the other host may be off ours by 3 µs")
        #expect(report.machines[0].ram == OperationReport.RAM(way: .stream, bytes: 4096))
        #expect(report.machines[0].stages.map(\.name) == ["stop"])
    }

    @Test func anAgreedInstantIsTheOneThatWasAskedFor() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let instant = control.clock.now() + .milliseconds(150)
        let report = try await bench.suspend(control, when: .at(instant))
        #expect(report.deadline == instant && report.outcome == .done)
    }

    @Test func eachHostIsAskedOnlyForWhatIsItsOwn() async throws {
        let bench = try Bench()
        let control = try bench.control()
        var spec = Bench.spec
        spec.links = [LinkSpec(name: "wire", kind: .serial, ends: [.init(machine: "a"), .init(machine: "b")])]
        spec.resources = [ResourceSpec(name: "vpn", acquire: ["up"], release: ["down"])]
        _ = try await control.result(of: control.up(UpRequest(spec: spec)))
        guard case .start(let left) = bench.left.world.withLock({ $0.orders[0] }),
            case .start(let right) = bench.right.world.withLock({ $0.orders[0] })
        else {
            Issue.record("no orders")
            return
        }
        #expect(left.simulation.machines.map(\.name) == ["a", "b"] && right.simulation.machines.map(\.name) == ["c"])
        #expect(left.simulation.links.map(\.name) == ["wire"] && right.simulation.links.isEmpty)
        #expect(left.simulation.resources.map(\.name) == ["vpn"] && right.simulation.resources.isEmpty)
    }

    @Test func aLinkBetweenHostsAndAnUnknownHostAreRefused() async throws {
        let bench = try Bench()
        let control = try bench.control()
        var spec = Bench.spec
        spec.links = [LinkSpec(name: "lan", kind: .serial, ends: [.init(machine: "a"), .init(machine: "c")])]
        spec.machines[1].host = "nowhere"
        let error = await #expect(throws: ControlError.self) { try await control.up(UpRequest(spec: spec)) }
        #expect(error?.reasons.map(\.code) == ["host-not-found", "link-between-hosts"] && error?.exitCode == 3)
    }

    @Test func checkpointsFormATree() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        for checkpoint in [nil, "named", nil] {
            _ = try await bench.suspend(control, as: checkpoint)
            _ = try await bench.resume(control)
        }
        _ = try await control.down("sim")
        _ = try await bench.resume(control, "s1")
        _ = try await bench.suspend(control)
        let log = try await control.log("sim")
        #expect(log.map(\.checkpoint) == ["s1", "named", "s2", "s3"])
        #expect(log.map(\.parent) == [nil, "s1", "named", "s1"])
        #expect(log.map(\.current) == [false, false, false, true])
        let detail = try await control.show("sim", "named")
        #expect(detail.manifest.parent == CheckpointManifest.Parent(id: log[0].id, name: "s1"))
        #expect(detail.manifest.machines.map(\.name) == ["a", "b", "c"])
    }

    @Test func whatCannotBeginIsRefusedWithItsReason() async throws {
        let bench = try Bench()
        let control = try bench.control()
        #expect(await code { _ = try await bench.suspend(control) } == "simulation-not-found")
        #expect(await code { _ = try await bench.resume(control) } == "simulation-not-found")
        #expect(await code { _ = try await control.log("sim") } == "simulation-not-found")
        #expect(await code { _ = try await control.down("sim") } == "simulation-not-found")
        #expect(await code { _ = try await control.operation(OperationID(text: "x")) } == "operation-not-found")
        try await bench.up(control)
        #expect(await code { try await bench.up(control) } == "simulation-exists")
        #expect(await code { _ = try await bench.resume(control, "s1") } == "simulation-exists")
        #expect(await code { _ = try await bench.suspend(control, as: "../x") } == "name-invalid")
        _ = try await bench.suspend(control, as: "one")
        #expect(await code { _ = try await bench.suspend(control) } == "simulation-not-running")
        #expect(await code { _ = try await bench.resume(control, "none") } == "checkpoint-not-found")
        #expect(await code { _ = try await control.clocks(of: "sim", pausing: false) } == "simulation-not-running")
        _ = try await bench.resume(control)
        #expect(await code { _ = try await bench.suspend(control, as: "one") } == "checkpoint-exists")
        _ = try await control.down("sim")
        #expect(await code { _ = try await bench.resume(control) } == "checkpoint-not-named")
        #expect(bench.left.openOperations.isEmpty && bench.folders == ["one"])
    }

    @Test(arguments: [true, false])
    func whoLooksAtClocksThatTickKeepsNoOperationWaiting(_ pausing: Bool) async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.world.withLock { $0.script[.readClocks] = [.late(1_000)] }
        let look = Task { try? await control.clocks(of: "sim", pausing: pausing) }
        for _ in 0..<12_000 where !bench.left.calls.contains("readClocks") {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(bench.left.calls.contains("readClocks"))
        let refused = await code {
            let operation = try await control.suspend(SaveRequest(simulation: "sim"))
            #expect(try await control.result(of: operation).outcome == .done)
        }
        #expect(refused == (pausing ? "busy" : nil))
        _ = await look.value
    }

    @Test func twoOperationsOnOneSimulationAtOnceAreRefused() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let first = try await control.suspend(SaveRequest(simulation: "sim", when: .in(.seconds(2))))
        #expect(await code { _ = try await bench.suspend(control) } == "busy")
        #expect(await code { _ = try await control.down("sim") } == "busy")
        #expect(await code { _ = try await control.clocks(of: "sim", pausing: true) } == "busy")
        #expect(try await control.simulation(named: "sim").summary.state == .suspending)
        #expect(try await control.simulation(named: "sim").summary.operation == first)
        #expect(try await control.result(of: first).outcome == .done)
    }

    @Test(arguments: [2, 3]) func stagesOfMachinesAreToldUnlessThoseAreTooMany(_ most: Int) async throws {
        let bench = try Bench()
        var options = Bench.options
        options.mostMachinesTold = most
        let control = try bench.control(options: options)
        try await bench.up(control)
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        var told: Set<String> = []
        for await event in try await control.follow(id) {
            if case .stage(let stage) = event { told.insert(stage.name) }
        }
        #expect(told == (most == 3 ? ["prepare", "stop"] : ["prepare"]))
        #expect(try await control.result(of: id).machines.allSatisfy { !$0.stages.isEmpty })
    }

    @Test func anOperationIsFollowedFromItsBeginningAlsoByWhoComesLate() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let id = try await control.suspend(SaveRequest(simulation: "sim", when: .in(.milliseconds(100))))
        try await Task.sleep(for: .milliseconds(50))
        var phases: [OperationPhase] = []
        var stages: [String] = []
        var result: OperationReport?
        for await event in try await control.follow(id) {
            #expect(result == nil, "the result is the last")
            switch event {
            case .phase(_, let phase, _): phases.append(phase)
            case .stage(let stage): stages.append(stage.name)
            case .result(let report): result = report
            }
        }
        #expect(phases == [.preparing, .prepared, .armed, .happened, .deciding, .finished])
        #expect(stages.contains("prepare"))
        #expect(result?.outcome == .done)
        #expect(result?.stages.map(\.name).first == "prepare", "stages of whole hosts are in the result too")
        // Of one that is over only the result is left, and it is the same.
        var later: [OperationEvent] = []
        for await event in try await control.follow(id) { later.append(event) }
        #expect(later == [.result(try #require(result))])
        #expect(try await control.operation(id).phase == .finished)
        #expect(try await control.operations(of: "sim").map(\.kind) == [.suspend, .start])
    }

    @Test func anOperationThatNobodyWaitsForGoesOn() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let id = try await control.suspend(SaveRequest(simulation: "sim", when: .in(.milliseconds(50))))
        let watcher = Task { try await control.result(of: id) }
        watcher.cancel()
        _ = try? await watcher.value
        await control.drain()
        #expect(try await control.operation(id).report?.outcome == .done)
    }

    @Test func anOperationIsCalledOffBeforeItsInstant() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let id = try await control.suspend(SaveRequest(simulation: "sim", when: .in(.seconds(3))))
        try await Task.sleep(for: .milliseconds(50))
        try control.cancel(id)
        let report = try await control.result(of: id)
        #expect(report.outcome == .cancelled && report.exitCode == 130)
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
        #expect(await code { try control.cancel(id) } == "operation-not-found")
    }

    @Test func anOperationIsCalledOffWhileAHostPrepares() async throws {
        let bench = try Bench()
        let control = try bench.control()
        bench.right.script(.prepare, .late(100))
        let id = try await control.up(UpRequest(spec: Bench.spec))
        try control.cancel(id)
        #expect(try await control.result(of: id).outcome == .cancelled)
        #expect(await bench.becomesIdle())
        // What comes late may come after that; it is cancelled when it comes.
        try await Task.sleep(for: .milliseconds(200))
        #expect(await bench.becomesIdle() && bench.states.isEmpty)
    }

    @Test func clocksAreReadLiveAndFromACheckpoint() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let live = try await control.clocks(of: "sim", pausing: true)
        #expect(live.machines.map(\.name) == ["a", "b", "c"] && live.machines.allSatisfy { $0.pause > .zero })
        let suspended = try await bench.suspend(control)
        let stored = try await control.clocks(ofCheckpoint: "s1", simulation: "sim")
        #expect(stored.checkpoint == "s1")
        for machine in stored.machines {
            #expect(machine.clock == suspended.machines.first { $0.name == machine.name }?.clock, "\(machine.name)")
        }
        #expect(stored.machines.count == suspended.machines.count)
    }

    @Test func anEditedCheckpointLiesBesideTheOldOne() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        let before = try Data(contentsOf: URL(filePath: "\(bench.home)/checkpoints/sim/s1/checkpoint.json"))
        let request = ClockEditRequest(
            simulation: "sim",
            checkpoint: "s1",
            newCheckpoint: "later",
            policy: .offset(.seconds(3600))
        )
        let edited = try await control.editClocks(request)
        #expect(edited.summary.parent == "s1" && edited.manifest.instant > HostInstant(nanosecondsSinceEpoch: 0))
        #expect(bench.folders == ["later", "s1"])
        #expect(try Data(contentsOf: URL(filePath: "\(bench.home)/checkpoints/sim/s1/checkpoint.json")) == before)
        #expect(await code { _ = try await control.editClocks(request) } == "checkpoint-exists")
        // One that fails leaves nothing.
        bench.left.script(.execute, .refuse("clock-policy-impossible"))
        let failing = ClockEditRequest(simulation: "sim", checkpoint: "s1", newCheckpoint: "never", policy: .host)
        #expect(await code { _ = try await control.editClocks(failing) } == "clock-policy-impossible")
        #expect(bench.folders == ["later", "s1"])
    }

    @Test func aCheckpointIsRemovedOnlyWhenNobodyNeedsIt() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        for _ in 0..<3 {
            _ = try await bench.suspend(control)
            _ = try await bench.resume(control)
        }
        #expect(await code { try await control.remove("sim", "s3") } == "checkpoint-in-use", "it runs on from it")
        try await control.remove("sim", "s2")
        #expect(bench.folders == ["s1", "s3"])
        #expect(try await control.log("sim").map(\.parent) == [nil, "s1"], "the child went to its grandparent")
        _ = try await bench.suspend(control)
        #expect(try await control.log("sim").last?.checkpoint == "s2", "the name is free again")
        #expect(await code { try await control.remove("sim", "s2") } == "checkpoint-in-use", "it is suspended to it")
        _ = try await control.down("sim")
        try await control.remove("sim", "s2")
        #expect(await code { try await control.remove("sim", "s2") } == "checkpoint-not-found")
    }

    @Test func aCheckpointOnWhoseDisksAnotherOneLiesStays() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        let base = "\(bench.home)/checkpoints/sim/s1/machines/a/disk0.qcow2"
        var manifest = try await control.show("sim", "s1").manifest
        manifest.id = "other"
        manifest.name = "child"
        manifest.machines[0].disks = [
            FrozenDisk(id: "d", format: "qcow2", file: .sample("machines/a/d.qcow2", role: .disk), backingFiles: [base])
        ]
        try control.checkpointSet.publish(manifest, at: control.checkpointSet.place(of: "child", simulation: "sim"))
        #expect(await control.recover().foundCheckpoints == ["sim@child"])
        _ = try await control.down("sim")
        let error = await #expect(throws: ControlError.self) { try await control.remove("sim", "s1") }
        #expect(error?.description.contains("sim@child") == true && error?.exitCode == 3)
        try await control.remove("sim", "child")
        try await control.remove("sim", "s1")
        #expect(bench.folders.isEmpty)
    }

    @Test func verifyTellsEverythingThatIsWrong() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        #expect(try await control.verify("sim", "s1").exitCode == 0)
        bench.left.world.withLock {
            $0.verdict = [Reason(code: "checkpoint-corrupt", machine: "a", message: "a bit is wrong")]
        }
        let report = try await control.verify("sim", "s1")
        #expect(!report.ok && report.exitCode == 6 && report.reasons.map(\.machine) == ["a"])
    }

    @Test func aDamagedManifestIsFoundBeforeAnythingIsStarted() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        let path = "\(bench.home)/checkpoints/sim/s1/checkpoint.json"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: path))
        // Its seal may come late.
        let calls = bench.left.calls.filter { $0 != "seal" }
        let error = await #expect(throws: ControlError.self) { try await bench.resume(control) }
        #expect(error?.exitCode == 6)
        #expect(try await control.verify("sim", "s1").exitCode == 6)
        #expect(bench.left.calls.filter { $0 != "seal" } == calls, "no hypervisor was asked")
        let findings = await control.doctor().findings
        #expect(findings.contains { $0.level == .problem && $0.subject == "sim@s1" })
    }

    @Test func adoptedMachinesMakeASimulation() async throws {
        let bench = try Bench()
        let control = try bench.control()
        let request = AdoptRequest(simulation: "sim", machine: "a", monitor: "unix:/x")
        #expect(try await control.adopt(request).adopted)
        #expect(await code { _ = try await control.adopt(request) } == "machine-exists")
        _ = try await control.adopt(AdoptRequest(simulation: "sim", machine: "c", monitor: "unix:/y", host: "right"))
        #expect(
            await code {
                _ = try await control.adopt(
                    AdoptRequest(simulation: "sim", machine: "d", monitor: "unix:/y", host: "x")
                )
            } == "host-not-found"
        )
        #expect(try await bench.suspend(control).machines.map(\.name) == ["a", "c"])
        #expect(try await bench.resume(control).outcome == .done)
    }

    @Test func aSimulationWhoseMachinesAreGoneIsDownAfterARestart() async throws {
        let bench = try Bench()
        try await bench.up(try bench.control())
        for host in [bench.left, bench.right] { host.world.withLock { $0.machines = [:] } }
        let control = try bench.control()
        #expect(try await control.simulation(named: "sim").problems.count == 3)
        #expect(await control.recover().problems.map(\.code) == ["machine-not-running"])
        #expect(try await control.simulation(named: "sim").summary.state == .down)
    }

    @Test func aLostDatabaseIsMadeAgainFromTheCheckpoints() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        let second = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite"))
        #expect(await second.recover().foundCheckpoints == ["sim@s1"])
        #expect(try await second.log("sim").map(\.checkpoint) == ["s1"])
        #expect(try await bench.resume(second, "s1").outcome == .done)
        #expect(bench.states == Bench.running)
    }

    @Test func whatAnUnknownOperationLeftIsRolledBack() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.commit, .hang, .hang, .hang)
        bench.right.script(.commit, .hang, .hang, .hang)
        #expect(try await bench.suspend(control).outcome == .unknown)
        // The database that has the decision is lost.
        let second = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite"))
        _ = await second.recover()
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
        // What runs is not known well enough to be saved, but it can be ended.
        #expect(await code { _ = try await bench.suspend(second) } == "simulation-not-running")
        #expect(try await second.down("sim").before == .unknown)
        #expect(bench.states.isEmpty)
    }

    @Test func aCheckpointWhoseFolderIsGoneIsForgotten() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        for _ in 0..<3 {
            _ = try await bench.suspend(control)
            _ = try await bench.resume(control)
        }
        // As if it had been killed in the middle of removing it.
        try control.checkpointSet.unpublish(control.checkpointSet.place(of: "s2", simulation: "sim"))
        let second = try bench.control()
        let report = await second.recover()
        #expect(report.problems.map(\.code) == ["checkpoint-not-found"] && report.removedFolders.count == 1)
        #expect(try await second.log("sim").map(\.parent) == [nil, "s1"])
        #expect(bench.folders == ["s1", "s3"])
    }
}
