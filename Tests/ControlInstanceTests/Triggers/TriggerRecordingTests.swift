import HostClock
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What triggers do when it cannot be recorded, when it was interrupted, and when their simulation is somebody else's.
struct TriggerRecordingTests {
    private final class Runner: HookRunner {
        let runs = Mutex(0)
        /// They do not end meanwhile.
        let isHeld = Mutex(false)

        func run(_ hook: HookSpec, variables: [String: String], input: [UInt8]) async -> HookRun {
            runs.withLock { $0 += 1 }
            while isHeld.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
            return HookRun(end: .exited, status: 0, duration: .zero)
        }
    }

    /// Takes no states of triggers, tells of no operation, or gives no simulation away, while it is told so.
    private final class StubbornStore: ForwardingSharedStore {
        struct State {
            var refusesTriggers = false
            var isDriven = false
            var isUnreadable = false
            /// Of states of triggers, also those that were refused.
            var writes = 0
            var claims = 0
        }

        let store: any Store
        let state = Mutex(State())

        init(store: any Store) { self.store = store }

        func apply(_ change: StoreChange) async throws(StoreError) {
            let isRefused = state.withLock { state in
                guard change.triggers != nil, change.operation == nil else { return false }
                state.writes += 1
                return state.refusesTriggers
            }
            if isRefused { throw StoreError("the disk is full") }
            try await store.apply(change)
        }

        func operation(_ id: OperationID) async throws(StoreError) -> OperationRecord? {
            if state.withLock({ $0.isUnreadable }) { throw StoreError("the disk does not answer") }
            return try await store.operation(id)
        }

        func claim(_ simulation: String) async throws(StoreError) {
            let isDriven = state.withLock { state in
                state.claims += 1
                return state.isDriven
            }
            if isDriven { throw StoreError("\(simulation) is another one's", .driven(by: "other")) }
            try await store.claim(simulation)
        }
    }

    private static func says(_ pattern: String, _ action: TriggerSpec.Action) -> TriggerSpec {
        TriggerSpec(.serial(machine: "a", port: nil, pattern: pattern), action)
    }

    private func begin(
        _ bench: Bench,
        _ store: StubbornStore,
        _ triggers: TriggerSpec...,
        runner: Runner? = nil
    ) async throws -> ControlInstance {
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: store,
            options: Bench.options,
            hooks: runner
        )
        var spec = Bench.spec
        spec.triggers = triggers
        let report = try await control.result(of: control.up(UpRequest(spec: spec)))
        try #require(report.outcome == .done, "\(report.reasons)")
        return control
    }

    private func becomes<Value: Equatable>(_ wanted: Value, _ look: () async throws -> Value) async throws {
        var last = try await look()
        for _ in 0..<2000 where last != wanted {
            try await Task.sleep(for: .milliseconds(10))
            last = try await look()
        }
        #expect(last == wanted)
    }

    private func phases(_ control: ControlInstance) async throws -> [TriggerState.Phase] {
        try await control.simulation(named: "sim").triggers?.map(\.phase) ?? []
    }

    @Test func nothingIsBegunThatCouldNotBeRecordedAndAllOfItWhenItCan() async throws {
        let bench = try Bench()
        let (store, runner) = (StubbornStore(store: bench.store), Runner())
        let control = try await begin(
            bench,
            store,
            Self.says("x", .hook(["tell"], timeout: .seconds(5))),
            Self.says("x", .checkpoint("x")),
            runner: runner
        )
        store.state.withLock { $0.refusesTriggers = true }
        bench.left.says("a", "x\n")
        // Met, and some attempts of each.
        try await becomes(true) { store.state.withLock { $0.writes >= 6 } }
        #expect(try await phases(control) == [.due, .due])
        #expect(runner.runs.withLock { $0 } == 0)
        #expect(try await control.operations(of: "sim").allSatisfy { $0.kind == .start })
        store.state.withLock { $0.refusesTriggers = false }
        try await becomes([.done, .done]) { try await phases(control) }
        #expect(runner.runs.withLock { $0 } == 1)
        #expect(try await control.log("sim").map(\.checkpoint) == ["x"])
        #expect(try await bench.store.triggers(of: "sim")?.states.map(\.phase) == [.done, .done])
    }

    @Test func oneThatWaitsForItsSimulationWritesNothing() async throws {
        let bench = try Bench()
        let store = StubbornStore(store: bench.store)
        let control = try await begin(bench, store, Self.says("x", .checkpoint("x")))
        store.state.withLock { $0.isDriven = true }
        bench.left.says("a", "x\n")
        try await becomes([.due]) { try await phases(control) }
        // Two for each attempt.
        let claims = store.state.withLock { $0.claims }
        try await becomes(true) { store.state.withLock { $0.claims >= claims + 6 } }
        #expect(store.state.withLock { $0.writes } == 1, "that it is due")
        #expect(try await phases(control) == [.due])
        store.state.withLock { $0.isDriven = false }
        try await becomes([.done]) { try await phases(control) }
    }

    /// A record as a daemon leaves it that dies while a trigger's operation is under way.
    private func leave(
        _ outcome: OperationOutcome,
        _ codes: String...,
        in bench: Bench,
        _ control: ControlInstance
    ) async throws -> OperationID {
        bench.left.says("a", "x\n")
        try await becomes(.done) { try await phases(control).first }
        _ = await control.windDown()
        var triggers = try #require(try await bench.store.triggers(of: "sim"))
        let id = try #require(triggers.states[0].operation)
        triggers.states[0].phase = .begun
        var operation = try #require(try await bench.store.operation(id))
        let reasons = codes.map { Reason(code: $0, message: "so it was") }
        operation.report = operation.report(outcome, reasons: reasons)
        try await bench.store.apply(StoreChange(operation: operation, triggers: triggers))
        return id
    }

    @Test(arguments: [(OperationOutcome.missed, "late"), (.cancelled, "cancelled"), (.failed, "interrupted")])
    func whatWasCutShortOrCameTooLateIsBegunAnew(_ outcome: OperationOutcome, _ code: String) async throws {
        let bench = try Bench()
        let store = StubbornStore(store: bench.store)
        let first = try await begin(bench, store, Self.says("x", .checkpoint("x")))
        let id = try await leave(outcome, code, in: bench, first)
        let second = try bench.control(store: store)
        _ = await second.recover()
        try await becomes([.done]) { try await phases(second) }
        #expect(try await second.simulation(named: "sim").triggers?.first?.operation != id)
        #expect(try await Set(second.log("sim").map(\.checkpoint)) == ["x", "x-2"])
    }

    @Test func whatIsBegunWhileAnOlderOperationCannotBeReadIsNotTakenForOneOfTheOlder() async throws {
        let bench = try Bench()
        let (store, runner) = (StubbornStore(store: bench.store), Runner())
        let hook = Self.says("y", .hook(["tell"], timeout: .seconds(60)))
        let first = try await begin(bench, store, Self.says("x", .checkpoint("x")), hook)
        _ = try await leave(.failed, "disk-full", in: bench, first)
        store.state.withLock { $0.isUnreadable = true }
        runner.isHeld.withLock { $0 = true }
        let second = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: store,
            options: Bench.options,
            hooks: runner
        )
        await second.beginTriggers(of: "sim")
        bench.left.says("a", "y\n")
        try await becomes([.begun, .begun]) { try await phases(second) }
        store.state.withLock { $0.isUnreadable = false }
        try await becomes(.failed) { try await phases(second).first }
        #expect(try await phases(second) == [.failed, .begun])
        runner.isHeld.withLock { $0 = false }
        try await becomes([.failed, .done]) { try await phases(second) }
        _ = await second.windDown()
    }

    @Test func whatFailedHasFailedAndWhatIsUnknownIsToldWhenItIsSettled() async throws {
        let bench = try Bench()
        let store = StubbornStore(store: bench.store)
        let first = try await begin(bench, store, Self.says("x", .checkpoint("x")))
        let id = try await leave(.unknown, "operation-unresolved", in: bench, first)
        let second = try bench.control(store: store)
        await second.beginTriggers(of: "sim")
        #expect(try await phases(second) == [.begun])
        let record = try #require(try await bench.store.operation(id))
        // As when it has been settled.
        let settled = record.report(.failed, reasons: [Reason(code: "disk-full", message: "no room")])
        await second.followTriggers(record, settled, committed: false)
        let trigger = try #require(try await second.simulation(named: "sim").triggers?.first)
        #expect(trigger.phase == .failed && trigger.problem?.contains("no room") == true)
        #expect(try await bench.store.triggers(of: "sim")?.states.map(\.phase) == [.failed])
        _ = await second.windDown()
    }

    /// Nobody looks after the triggers of a simulation that is suspended.
    @Test func aSuspendThatIsSettledLaterEndsItsTrigger() async throws {
        let bench = try Bench()
        let store = StubbornStore(store: bench.store)
        let control = try await begin(bench, store, Self.says("x", .suspend("x")))
        let id = try await leave(.unknown, "operation-unresolved", in: bench, control)
        let record = try #require(try await bench.store.operation(id))
        await control.followTriggers(record, record.report(.done), committed: true)
        #expect(try await bench.store.triggers(of: "sim")?.states.map(\.phase) == [.done])
    }
}
