import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What is asked to be settled while it is under way, or has just ended.
struct SettleTests {
    @Test func whatEndsWhileItIsAskedAboutIsNotUndone() async throws {
        let bench = try Bench()
        try await bench.up(try bench.control())
        let store = DelayedStore(store: bench.store)
        let control = try bench.control(store: store)
        bench.left.script(.report, .late(50))
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        // Between the first look at the record and what follows, the operation ends.
        store.afterNextRead { _ = try? await control.result(of: id) }
        #expect(try await control.settle(id).outcome == .done)
        #expect(bench.folders == ["s1"])
        _ = try await control.show("sim", "s1")
        #expect(try await control.operation(id).report?.outcome == .done)
    }

    @Test func whatIsUnderWayIsNotSettled() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.report, .late(200))
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        let error = await #expect(throws: ControlError.self) { try await control.settle(id) }
        #expect(error?.reasons.map(\.code) == ["busy"] && error?.exitCode == 3)
        #expect(try await control.result(of: id).outcome == .done)
        #expect(try await control.settle(id).outcome == .done)
    }
}

/// What nobody but the operator can decide: a host that was to go on does not answer.
struct ResolveTests {
    /// A resume whose control instance died when all machines went on, and whose right host is silent since.
    private func interrupted(_ bench: Bench) async throws -> (ControlInstance, OperationID) {
        let first = try bench.control()
        try await bench.up(first)
        #expect(try await bench.suspend(first).outcome == .done)
        await first.endSealing()
        for limit in 1... {
            let fuse = Fuse(limit: limit)
            let dying = try bench.control(store: FusedStore(store: bench.store, fuse: fuse)) {
                FusedHypervisor(hypervisor: $0, fuse: fuse)
            }
            let ended = Task { try await dying.result(of: dying.resume(ResumeRequest(simulation: "sim"))) }
            try #require(await fuse.blownOrEnded(ended), "it was never armed when it died")
            let left = try await bench.store.unfinishedOperations().first
            // What was armed acts alone, in its own time; when only one host was, the other never does.
            for _ in 0..<50 where left?.state.phase == .armed && bench.states != Bench.running {
                try await Task.sleep(for: .milliseconds(20))
            }
            if let left, left.state.phase == .armed, bench.states == Bench.running {
                bench.right.script(.undecided, .hang, .hang, .hang, .hang)
                var options = Bench.options
                options.answerTimeout = .milliseconds(100)
                options.settlePause = .seconds(600)
                return (try bench.control(options: options), left.id)
            }
            let next = try bench.control()
            _ = await next.recover()
            guard bench.states == Bench.running else { continue }
            #expect(try await bench.suspend(next).outcome == .done)
            await next.endSealing()
        }
        throw ControlError(code: "unreachable", message: "the loop has no end")
    }

    @Test(arguments: [OperationState.Decision.commit, .rollback])
    func aHostThatDoesNotAnswerIsNotWaitedForWhenSomebodyDecides(_ decision: OperationState.Decision) async throws {
        let bench = try Bench()
        let (control, id) = try await interrupted(bench)
        let waiting = try await control.settle(id)
        #expect(waiting.outcome == .unknown && bench.states == Bench.running, "\(waiting)")
        let report = try await control.settle(id, as: decision)
        #expect(report.outcome == (decision == .commit ? .done : .failed), "\(report)")
        #expect(bench.states == (decision == .commit ? Bench.running : [:]))
        #expect(bench.left.openOperations.isEmpty && bench.right.openOperations.isEmpty)
        #expect(try await bench.store.unfinishedOperations().isEmpty)
    }

    /// Which decisions somebody may make, by what is recorded and what the hosts that answer say.
    @Test func onlyWhatNobodyKnowsIsDecidedByHand() async throws {
        let bench = try Bench()
        let (_, id) = try await interrupted(bench)
        let armed = try await #require(bench.store.operation(id))
        let there = UndecidedOperation(
            operation: id,
            kind: .resume,
            simulation: "sim",
            machines: ["a"],
            happened: true
        )
        func codes(
            _ record: OperationRecord,
            _ decision: OperationState.Decision,
            _ undecided: [String: [UndecidedOperation]]
        ) -> [String] {
            do throws(ControlError) {
                try record.allows(decision, undecided: undecided)
                return []
            } catch {
                return error.reasons.map(\.code)
            }
        }
        let no = ["decision-impossible"]
        #expect(codes(armed, .commit, [:]) == [] && codes(armed, .commit, ["left": [there]]) == [])
        var standing = there
        standing.happened = false
        for answer in [[standing], []] {
            #expect(codes(armed, .commit, ["left": [there], "right": answer]) == no, "right did not go on")
            #expect(codes(armed, .rollback, ["left": [there], "right": answer]) == [])
        }
        var preparing = armed
        preparing.state = OperationState()
        #expect(codes(preparing, .commit, [:]) == no && codes(preparing, .rollback, [:]) == [])
        var suspend = armed
        suspend.kind = .suspend
        #expect(codes(suspend, .commit, [:]) == no && codes(suspend, .rollback, [:]) == [])
    }

    @Test func whatIsDecidedIsNotDecidedOtherwise() async throws {
        let bench = try Bench()
        try await bench.up(try bench.control())
        let store = DoubtfulStore(store: bench.store)
        let control = try bench.control(store: store)
        let id = try await control.suspend(SaveRequest(simulation: "sim"))
        #expect(try await control.result(of: id).outcome == .unknown)
        store.heal()
        let decided = try await #require(bench.store.operation(id)?.state.decision)
        let other: OperationState.Decision = decided == .commit ? .rollback : .commit
        let error = await #expect(throws: ControlError.self) { try await control.settle(id, as: other) }
        #expect(error?.reasons.map(\.code) == ["decision-impossible"] && error?.exitCode == 3)
        #expect(try await control.settle(id, as: decided).outcome == (decided == .commit ? .done : .failed))
    }
}

/// A database in which something happens between the reading of an operation and the reader's next step.
private final class DelayedStore: ForwardingStore, UnsharedStore {
    let store: any Store
    private let next = Mutex<(@Sendable () async -> Void)?>(nil)

    init(store: any Store) { self.store = store }

    func afterNextRead(_ body: @escaping @Sendable () async -> Void) { next.withLock { $0 = body } }

    func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
        let record = try await store.operation(id)
        let body = next.withLock { next in
            defer { next = nil }
            return next
        }
        await body?()
        return record
    }
}
