import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing

@testable import ControlInstance

/// The control instance dies before and after every message and every write that it makes, one after the other; a new one
/// has to make it whole again.
struct CrashTests {
    enum Verb: String, CaseIterable, Sendable { case start, suspend, checkpoint, resume }

    /// What else dies with it.
    enum Companion: CaseIterable, Sendable {
        case nobody
        /// The hypervisors' daemons too, as in the embedded default; what was armed never happens.
        case hypervisors
    }

    private func begin(_ verb: Verb, _ control: ControlInstance) async throws -> OperationID {
        switch verb {
        case .start: try await control.up(UpRequest(spec: Bench.spec))
        case .suspend: try await control.suspend(SaveRequest(simulation: "sim"))
        case .checkpoint: try await control.checkpoint(SaveRequest(simulation: "sim"))
        case .resume: try await control.resume(ResumeRequest(simulation: "sim"))
        }
    }

    private func setUp(_ verb: Verb, _ bench: Bench) async throws {
        guard verb != .start else { return }
        let control = try bench.control()
        try await bench.up(control)
        if verb == .resume { #expect(try await bench.suspend(control).outcome == .done) }
    }

    /// One life that ends at step `limit`, and the next.
    /// - Returns: whether it ended before its work was done.
    private func live(_ verb: Verb, dyingAt limit: Int, with companion: Companion, failing: ScriptedHypervisor.Fault?)
        async throws
        -> Bool
    {
        let bench = try Bench()
        try await setUp(verb, bench)
        if let failing { bench.right.script(.report, failing) }
        let fuse = Fuse(limit: limit)
        let first = try bench.control(store: FusedStore(store: bench.store, fuse: fuse)) {
            FusedHypervisor(hypervisor: $0, fuse: fuse)
        }
        let ended = Task { [first] in
            let id = try await self.begin(verb, first)
            return try await first.result(of: id)
        }
        let died = await fuse.blownOrEnded(ended)
        if !died { _ = try await ended.value }
        // What was armed acts alone; let it, or let it die too.
        if companion == .hypervisors {
            bench.left.restart()
            bench.right.restart()
        } else {
            try await Task.sleep(for: .milliseconds(40))
        }
        bench.right.world.withLock { $0.script = [:] }

        // It has no process of its own that could die: what it does in the background ends here.
        await first.endSealing()
        let second = try bench.control()
        let recovery = await second.recover()
        let context = "\(verb) died at \(limit): \(recovery)"
        #expect(recovery.operations.allSatisfy { $0.outcome != .unknown }, "\(context)")
        #expect(try await bench.store.unfinishedOperations().isEmpty, "\(context)")
        #expect(bench.left.openOperations.isEmpty && bench.right.openOperations.isEmpty, "\(context)")
        #expect(!bench.folders.contains { $0.hasSuffix(".partial") }, "\(context)")

        let state = try await second.simulations().first?.state
        let checkpoints = try await bench.store.checkpoints(of: "sim").map(\.name)
        #expect(checkpoints == bench.folders, "the database and the disk know the same: \(context)")
        for name in checkpoints { _ = try await second.show("sim", name) }
        switch state {
        case .running:
            #expect(bench.states == Bench.running, "\(context)")
            #expect(
                checkpoints == (verb == .resume ? ["s1"] : []) || verb == .checkpoint && checkpoints == ["s1"],
                "\(context)"
            )
        case .suspended:
            #expect(bench.states.isEmpty && checkpoints == ["s1"] && verb != .start, "\(context)")
        case nil:
            #expect(bench.states.isEmpty && verb == .start, "\(context)")
        default:
            Issue.record("it is \(String(describing: state)): \(context)")
        }
        // A second recovery finds nothing to do.
        #expect(await second.recover() == RecoveryReport(), "\(context)")
        return died
    }

    @Test(arguments: Verb.allCases, Companion.allCases)
    func isMadeWholeByTheNextOne(_ verb: Verb, _ companion: Companion) async throws {
        var step = 1
        while try await live(verb, dyingAt: step, with: companion, failing: nil) { step += 1 }
        // Both hosts are asked four things at least, each before and after, and five things are written.
        #expect(step > 24, "only \(step) steps were seen")
    }

    @Test(arguments: Verb.allCases)
    func isMadeWholeByTheNextOneAlsoInTheMiddleOfARollback(_ verb: Verb) async throws {
        var step = 1
        while try await live(verb, dyingAt: step, with: .nobody, failing: .failed("no-space")) { step += 1 }
        #expect(step > 24, "only \(step) steps were seen")
    }

    /// The database fails at one write, or at all from one on.
    @Test(arguments: Verb.allCases, [false, true])
    func aDatabaseThatFailsTakesNothingWithIt(_ verb: Verb, _ forGood: Bool) async throws {
        for write in 1...7 {
            let bench = try Bench()
            try await setUp(verb, bench)
            let before = bench.states
            let control = try bench.control(store: FailingStore(store: bench.store, from: write, forGood: forGood))
            do {
                let report = try await control.result(of: begin(verb, control))
                if report.outcome == .done {
                    #expect(bench.states == (verb == .suspend ? [:] : Bench.running))
                } else if report.outcome == .unknown {
                    // Nobody is told to roll back what a recovery may commit.
                    #expect([.start, .resume].contains(verb) && forGood, "\(verb) with write \(write): \(report)")
                    #expect(report.reasons.map(\.code).contains("database-failed"))
                } else {
                    #expect(report.reasons.contains { $0.code == "database-failed" } && report.outcome == .failed)
                    #expect(bench.states == before, "\(verb) with write \(write): \(report)")
                }
            } catch let error as ControlError {
                #expect(error.reasons.map(\.code) == ["database-failed"])
                #expect(bench.states == before)
            }
            let second = try bench.control()
            _ = await second.recover()
            #expect(try await bench.store.unfinishedOperations().isEmpty)
            let checkpoints = try await bench.store.checkpoints(of: "sim").map(\.name)
            #expect(checkpoints == bench.folders)
            let state = try await second.simulations().first?.state
            #expect(bench.states == (state == .running ? Bench.running : [:]), "\(verb) with write \(write)")
        }
    }

    /// The commit may be recorded: who told a rollback meanwhile would leave half of each.
    @Test(arguments: [Verb.suspend, .resume, .start])
    func nobodyIsToldToRollBackWhileACommitIsInDoubt(_ verb: Verb) async throws {
        let bench = try Bench()
        try await setUp(verb, bench)
        let store = DoubtfulStore(store: bench.store)
        let control = try bench.control(store: store)
        let id = try await begin(verb, control)
        let report = try await control.result(of: id)
        #expect(report.outcome == .unknown && report.exitCode == 5, "\(report)")
        #expect(report.reasons.contains { $0.code == "database-failed" })
        let calls = bench.left.calls + bench.right.calls
        #expect(!calls.contains("rollback") && bench.left.openOperations == [id])
        store.heal()
        #expect(try await control.settle(id).outcome == .done)
        #expect(bench.states == (verb == .suspend ? [:] : Bench.running))
        #expect(bench.folders == (verb == .start ? [] : ["s1"]))
        #expect(bench.left.openOperations.isEmpty && bench.right.openOperations.isEmpty)
    }
}
