import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// One host breaks the protocol in every way there is; the other is as it should be.
struct FaultTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var call: ScriptedHypervisor.Call
        var faults: [ScriptedHypervisor.Fault]
        var outcome: OperationOutcome
        var code: String?
        /// Whether the operation was carried out after all.
        var committed = false

        var testDescription: String { "\(call.rawValue) \(faults)" }

        init(
            _ call: ScriptedHypervisor.Call,
            _ faults: ScriptedHypervisor.Fault...,
            is outcome: OperationOutcome,
            _ code: String? = nil,
            committed: Bool = false
        ) {
            self.call = call
            self.faults = faults
            self.outcome = outcome
            self.code = code
            self.committed = committed
        }
    }

    static let cases: [Case] = [
        Case(.prepare, .refuse("no-space"), is: .refused, "no-space"),
        Case(.prepare, .refuse("instant-too-near"), is: .refused, "instant-too-near"),
        Case(.prepare, .refuse("checkpoint-incompatible"), is: .corrupt, "checkpoint-incompatible"),
        Case(.prepare, .refuse("clocks-not-synchronised"), is: .unsynchronised, "clocks-not-synchronised"),
        Case(.prepare, .hang, is: .refused, "host-no-answer"),
        Case(.prepare, .late(2600), is: .refused, "host-no-answer"),
        Case(.prepare, .wrong, is: .refused, "handle-wrong"),
        Case(.prepare, .forget, is: .refused, "no-common-instant"),
        Case(.prepare, .late(50), is: .done, committed: true),
        Case(.execute, .refuse("instant-too-near"), is: .missed, "instant-too-near"),
        Case(.execute, .refuse("handle-expired"), is: .missed, "handle-expired"),
        Case(.execute, .refuseAfter("handle-used"), is: .failed, "handle-used"),
        Case(.execute, .hang, is: .failed, "host-no-answer"),
        Case(.execute, .hangAfter, is: .failed, "host-no-answer"),
        Case(.report, .missed("clock-stepped"), is: .missed, "clock-stepped"),
        Case(.report, .failed("no-space"), is: .failed, "no-space"),
        Case(.report, .failed("checkpoint-corrupt"), is: .corrupt, "checkpoint-corrupt"),
        Case(.report, .refuse("machine-died"), is: .failed, "machine-died"),
        Case(.report, .hang, is: .failed, "host-no-answer"),
        Case(.report, .forget, is: .failed, "report-incomplete"),
        Case(.report, .late(50), is: .done, committed: true),
        Case(.commit, .refuse("monitor-failed"), is: .done, committed: true),
        Case(.commit, .refuse("operation-unknown"), is: .done, committed: true),
        Case(.commit, .hang, is: .done, committed: true),
        Case(.commit, .hangAfter, is: .done, committed: true),
    ]

    private func expectHonest(_ report: OperationReport, _ wanted: Case) {
        #expect(report.outcome == wanted.outcome, "\(report.reasons)")
        #expect(report.exitCode == wanted.outcome.exitCode)
        #expect(report.reasons.isEmpty == (wanted.outcome == .done))
        if let code = wanted.code { #expect(report.reasons.contains { $0.code == code }, "\(report.reasons)") }
        #expect(report.finished != nil)
    }

    @Test(arguments: cases)
    func aSuspendIsWholeOrHasNotBeen(_ fault: Case) async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.world.withLock { $0.script[fault.call] = fault.faults }
        let report = try await bench.suspend(control)
        expectHonest(report, fault)
        let detail = try await control.simulation(named: "sim")
        if fault.committed {
            #expect(detail.summary.state == .suspended)
            #expect(bench.folders == ["s1"])
            // The double that "does not know" the operation has kept its machine.
            if fault.faults != [.refuse("operation-unknown")] { #expect(bench.states.isEmpty) }
        } else {
            #expect(detail.summary.state == .running)
            #expect(bench.states == Bench.running, "no machine is left paused")
            #expect(bench.folders.isEmpty, "no part of a checkpoint is left")
            // What comes too late is cancelled when it comes.
            if fault.faults == [.late(2600)] { try await Task.sleep(for: .milliseconds(900)) }
            #expect(await bench.becomesIdle())
            // Nothing stands in the way of the next one.
            #expect(try await bench.suspend(control).outcome == .done)
        }
    }

    @Test(arguments: cases.filter { $0.faults != [.refuse("operation-unknown")] })
    func aResumeIsWholeOrHasNotBeen(_ fault: Case) async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        #expect(try await bench.suspend(control).outcome == .done)
        bench.right.world.withLock { $0.script[fault.call] = fault.faults }
        let report = try await bench.resume(control)
        // A resume saves nothing that could be left out.
        expectHonest(report, fault)
        let detail = try await control.simulation(named: "sim")
        if fault.committed {
            #expect(detail.summary.state == .running && bench.states == Bench.running)
        } else {
            #expect(detail.summary.state == .suspended)
            // What comes too late is cancelled when it comes.
            if fault.faults == [.late(2600)] { try await Task.sleep(for: .milliseconds(900)) }
            #expect(await bench.becomesIdle())
            #expect(bench.states.isEmpty, "no machine is left")
            #expect(try await bench.resume(control).outcome == .done)
            #expect(bench.states == Bench.running)
        }
        #expect(bench.folders == ["s1"], "the checkpoint is untouched")
    }

    @Test func allReasonsOfAllHostsAreTold() async throws {
        let bench = try Bench()
        let control = try bench.control()
        bench.left.script(.prepare, .refuse("qemu-missing"))
        bench.right.script(.prepare, .refuse("no-space"))
        let report = try await control.result(of: control.up(UpRequest(spec: Bench.spec)))
        #expect(report.reasons.map(\.code).sorted() == ["no-space", "qemu-missing"])
        #expect(report.exitCode == 3)
        #expect(try await control.simulations().isEmpty)
    }

    @Test func aSaveThatPointsOutOfItsFolderIsNoCheckpoint() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.report, .wrong)
        let report = try await bench.suspend(control)
        #expect(report.outcome == .failed && report.reasons.map(\.code) == ["report-incomplete"])
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
    }

    @Test(arguments: [ScriptedHypervisor.Fault.hang, .refuse("monitor-failed")])
    func aCommitThatIsNeverConfirmedIsUnknownAndFoundAgain(_ fault: ScriptedHypervisor.Fault) async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.script(.commit, fault, fault, fault)
        let report = try await bench.suspend(control)
        #expect(report.outcome == .unknown && report.exitCode == 5)
        #expect(bench.states == ["c": .paused])
        #expect(try await control.simulation(named: "sim").summary.state == .unknown)
        // The next operation repeats the decision before it begins.
        #expect(try await bench.resume(control).outcome == .done)
        #expect(bench.states == Bench.running)
        #expect(try await control.operation(report.operation).report?.outcome == .done)
    }

    @Test func aRollbackThatIsNeverConfirmedIsUnknownAndFoundAgain() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.report, .failed("no-space"))
        bench.right.script(
            .rollback,
            .refuse("x"),
            .refuse("x"),
            .refuse("x"),
            .refuse("x")
        )
        let report = try await bench.suspend(control)
        #expect(report.outcome == .unknown && report.reasons.contains { $0.code == "no-space" })
        #expect(bench.states == ["a": .running, "b": .running, "c": .paused])
        // While the host does not confirm, nothing new begins.
        let refused = await #expect(throws: ControlError.self) { try await bench.suspend(control) }
        #expect(refused?.exitCode == 3 && refused?.reasons.first?.code == "operation-unresolved")
        #expect(try await control.settle(report.operation).outcome == .failed)
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
    }

    @Test func downEndsWhatIsUnknown() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.world.withLock { $0.script[.commit] = Array(repeating: .refuse("x"), count: 20) }
        #expect(try await bench.suspend(control).outcome == .unknown)
        #expect(try await control.down("sim").before == .unknown)
        #expect(bench.states.isEmpty)
        #expect(try await control.simulation(named: "sim").summary.state == .down)
        #expect(try await bench.store.unfinishedOperations().isEmpty)
        // The checkpoint was decided, and stays.
        #expect(bench.folders == ["s1"])
    }

    @Test func aRollbackLetsAllGoOnAtOneInstant() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.script(.report, .failed("no-space"))
        _ = try await bench.suspend(control)
        let left = bench.left.world.withLock { $0.continuedAt }
        #expect(left.count == 1 && left == bench.right.world.withLock { $0.continuedAt })
    }

    @Test func aHostOfWhoseClockNobodyKnowsMakesTheBoundUnknown() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        #expect(
            try await bench.suspend(control).clockErrorBound == .microseconds(3),
            "its own clock is off itself by nothing"
        )
        bench.right.world.withLock { $0.clockErrorBound = nil }
        #expect(try await bench.resume(control).clockErrorBound == nil, "of another host nobody knows")
    }
}
