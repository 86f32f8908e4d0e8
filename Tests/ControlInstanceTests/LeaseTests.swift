import FoundationEssentials
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// Simulations that live as long as somebody holds them.
struct LeaseTests {
    private static let source = ResumeRequest(simulation: "sim", checkpoint: "s1")

    /// `sim@s1` is there, and `sim` suspended to it.
    private func suspended(_ bench: Bench, grace: Span = .seconds(30)) async throws -> ControlInstance {
        var options = Bench.options
        options.leaseGrace = grace
        let control = try bench.control(options: options)
        try await bench.up(control)
        _ = try await bench.suspend(control)
        return control
    }

    private func clone(_ control: ControlInstance, _ name: String, from source: ResumeRequest = source) async throws {
        for clone in try await control.clone(CloneRequest(source, as: name)) {
            #expect(try await control.result(of: clone.operation).outcome == .done)
        }
    }

    private func save(_ control: ControlInstance, _ simulation: String, as name: String) async throws {
        let request = SaveRequest(simulation: simulation, checkpoint: name)
        #expect(try await control.result(of: control.checkpoint(request)).outcome == .done)
    }

    private func leases(_ bench: Bench) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(bench.home)/leases")) ?? []
    }

    private func names(_ control: ControlInstance) async throws -> [String] {
        try await control.simulations().map(\.simulation)
    }

    /// - Throws: when it is still there after a long time.
    private func wait(until isSo: () async throws -> Bool) async throws {
        for _ in 0..<12_000 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("waited in vain")
    }

    @Test func whereOthersHaveTheDatabaseThereAreNoLeases() async throws {
        let bench = try Bench()
        let control = try bench.control(store: SharedStore(store: bench.store))
        let error = await #expect(throws: ControlError.self) { _ = try await control.holdLease(of: "copy") }
        #expect(error?.reasons.map(\.code) == ["lease-not-shared"] && error?.exitCode == 3)
        #expect(leases(bench).isEmpty)
        // Nor is the name taken by the attempt.
        try await bench.up(control)
        _ = try await bench.suspend(control)
        try await clone(control, "copy")
        #expect(try await names(control) == ["copy", "sim"])
    }

    @Test func whatIsHeldIsGoneWithAllOfItsCheckpointsWhenItsLeaseEnds() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        let end = try await control.holdLease(of: "copy")
        #expect(leases(bench) == ["copy"])
        try await clone(control, "copy")
        try await save(control, "copy", as: "a")
        try await save(control, "copy", as: "b")
        let report = try await control.endLease(of: "copy")
        #expect(report.machines == ["a", "b", "c"] && report.removed == ["b", "a"])
        #expect(report.kept.isEmpty && report.reasons.isEmpty)
        var told = end.makeAsyncIterator()
        #expect(await told.next() == report)
        #expect(try await names(control) == ["sim"] && leases(bench).isEmpty)
        #expect(bench.left.states(of: "copy").isEmpty && bench.right.states(of: "copy").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "\(bench.home)/checkpoints/copy"))
        #expect(try await control.log("sim").map(\.checkpoint) == ["s1"])
        await #expect(throws: ControlError.self) { try await control.endLease(of: "copy") }
    }

    @Test func whatIsToBeKeptStaysWithItsSimulation() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await control.holdLease(of: "copy")
        try await clone(control, "copy")
        try await save(control, "copy", as: "a")
        let suspend = SaveRequest(simulation: "copy", checkpoint: "failed")
        #expect(try await control.result(of: control.suspend(suspend)).outcome == .done)
        let report = try await control.endLease(of: "copy", keeping: ["failed"])
        #expect(report.kept == ["failed"] && report.removed == ["a"])
        #expect(try await control.simulation(named: "copy").summary.state == .down)
        let resume = ResumeRequest(simulation: "copy", checkpoint: "failed")
        #expect(try await control.result(of: control.resume(resume)).outcome == .done)
    }

    @Test func whoeverGoesAwayWithoutAWordTakesItAlongAlsoInTheMiddleOfAnOperation() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await control.holdLease(of: "copy")
        try await clone(control, "copy")
        // Of which nothing is heard before the instant is there.
        let far = When.in(.seconds(3600))
        let operation = try await control.suspend(SaveRequest(simulation: "copy", when: far))
        control.dropLease(of: "copy")
        #expect(try await control.result(of: operation).outcome == .cancelled)
        try await wait { try await names(control) == ["sim"] }
        try await wait { leases(bench).isEmpty }
        #expect(bench.left.states(of: "copy").isEmpty)
    }

    @Test func aRequestThatIsReadAfterItsLeaseHasEndedBeginsNothing() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await control.holdLease(of: "copy")
        _ = try await control.endLease(of: "copy")
        let refusal = await #expect(throws: ControlError.self) { try await clone(control, "copy") }
        #expect(refusal?.reasons.first?.code == "lease-ended")
        // Somebody who asks for that name again may have it.
        _ = try await control.holdLease(of: "copy")
        try await clone(control, "copy")
        #expect(try await control.endLease(of: "copy").machines == ["a", "b", "c"])
    }

    @Test func nothingThatIsThereAlreadyIsLent() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        let refusal = await #expect(throws: ControlError.self) { try await control.holdLease(of: "sim") }
        #expect(refusal?.reasons.first?.code == "simulation-exists")
        _ = try await control.holdLease(of: "copy")
        let second = await #expect(throws: ControlError.self) { try await control.holdLease(of: "copy") }
        #expect(second?.reasons.first?.code == "lease-held")
        #expect(leases(bench) == ["copy"])
        await #expect(throws: ControlError.self) { try await control.holdLease(of: "../up") }
    }

    @Test func allOfAHarnessEndsAlsoWhereOneStandsOnTheOther() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        for name in ["base", "test"] { _ = try await control.holdLease(of: name) }
        try await clone(control, "base")
        try await save(control, "base", as: "booted")
        try await clone(control, "test", from: ResumeRequest(simulation: "base", checkpoint: "booted"))
        // The one that others stand on first.
        control.dropLease(of: "base")
        control.dropLease(of: "test")
        try await wait { try await names(control) == ["sim"] }
        #expect(!FileManager.default.fileExists(atPath: "\(bench.home)/checkpoints/base/booted"))
    }

    @Test func theNextDaemonEndsWhatNobodyTakesUpAgain() async throws {
        let bench = try Bench()
        let old = try await suspended(bench)
        _ = try await old.holdLease(of: "gone")
        try await clone(old, "gone")
        var options = Bench.options
        options.leaseGrace = .milliseconds(100)
        let control = try bench.control(options: options)
        _ = await control.recover()
        try await wait { try await names(control) == ["sim"] && leases(bench).isEmpty }
        #expect(bench.left.states(of: "gone").isEmpty)
    }

    @Test func theNextDaemonLeavesItToWhoeverTakesItUpAgain() async throws {
        let bench = try Bench()
        let old = try await suspended(bench)
        _ = try await old.holdLease(of: "held")
        try await clone(old, "held")
        var options = Bench.options
        // However busy the machine is.
        options.leaseGrace = .seconds(3600)
        let control = try bench.control(options: options)
        _ = await control.recover()
        #expect(try await names(control) == ["held", "sim"])
        _ = try await control.holdLease(of: "held")
        #expect(leases(bench) == ["held"])
        #expect(bench.left.states(of: "held") == ["a": .running, "b": .running])
        #expect(try await control.endLease(of: "held").machines == ["a", "b", "c"])
    }

    @Test func whatIsTakenUpIsNoOrphanAnyMore() {
        var leases = Leases()
        leases.find("gone")
        leases.find("held")
        let (_, holder) = AsyncStream<LeaseReport>.makeStream()
        #expect(leases.takeUp("held", holder) && !leases.takeUp("held", holder))
        #expect(leases.beginEnding("gone", orphansOnly: true) && !leases.beginEnding("held", orphansOnly: true))
    }
}

/// A database that other control instances may have, too.
private struct SharedStore: ForwardingStore, UnsharedStore {
    let store: any Store
    var isShared: Bool { true }
}
