import FoundationEssentials
import HostClock
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What triggers of a simulation that runs do, in which order, and what is told of it.
struct TriggerTests {
    private final class Runner: HookRunner {
        let inputs = Mutex<[String]>([])
        let answer: HookRun

        init(_ answer: HookRun = HookRun(end: .exited, status: 0, duration: .zero)) { self.answer = answer }

        func run(_ hook: HookSpec, variables: [String: String], input: [UInt8]) async -> HookRun {
            inputs.withLock { $0.append(String(decoding: input, as: UTF8.self)) }
            if hook.command == ["hang"] {
                try? await Task.sleep(for: .seconds(1000))
                return HookRun(end: .cancelled, duration: .zero)
            }
            return answer
        }
    }

    private static func says(_ pattern: String, _ action: TriggerSpec.Action) -> TriggerSpec {
        TriggerSpec(.serial(machine: "a", port: nil, pattern: pattern), action)
    }

    private static func hook(_ command: String = "tell") -> TriggerSpec.Action {
        .hook([command], timeout: .seconds(5))
    }

    private func control(
        _ bench: Bench,
        _ runner: Runner? = nil,
        store: (any Store)? = nil
    ) throws -> ControlInstance {
        var options = Bench.options
        // Reports that are held come when the test lets them.
        options.reportTimeout = .seconds(60)
        return try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: store ?? bench.store,
            options: options,
            hooks: runner
        )
    }

    private func up(_ bench: Bench, _ control: ControlInstance, _ triggers: TriggerSpec...) async throws {
        var spec = Bench.spec
        spec.triggers = triggers
        let report = try await control.result(of: control.up(UpRequest(spec: spec)))
        try #require(report.outcome == .done, "\(report.reasons)")
    }

    private func becomes<Value: Equatable>(_ wanted: Value, _ look: () async throws -> Value) async throws {
        var last = try await look()
        for _ in 0..<1000 where last != wanted {
            try await Task.sleep(for: .milliseconds(10))
            last = try await look()
        }
        #expect(last == wanted)
    }

    private func phases(_ control: ControlInstance) async throws -> [TriggerState.Phase] {
        try await control.simulation(named: "sim").triggers?.map(\.phase) ?? []
    }

    private func state(_ control: ControlInstance) async throws -> SimulationState {
        try await control.simulation(named: "sim").summary.state
    }

    private func checkpoints(_ control: ControlInstance) async throws -> [String] {
        try await control.log("sim").map(\.checkpoint)
    }

    @Test func aPatternBeginsAnOrdinaryOperationWhichSaysWhoBeganIt() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(bench, control, Self.says("login:", .checkpoint("booted")))
        #expect(try await phases(control) == [.armed])
        bench.left.says("a", "nothing\nlog")
        bench.left.says("a", "in: ")
        try await becomes([.done]) { try await phases(control) }
        let trigger = try #require(try await control.simulation(named: "sim").triggers?.first)
        let operation = try await control.operation(try #require(trigger.operation))
        #expect(operation.kind == .checkpoint && operation.checkpoint == "booted")
        #expect(operation.trigger == "a says /login:/" && operation.report?.trigger == "a says /login:/")
        #expect(operation.report?.outcome == .done)
        let saved = try await control.show("sim", "booted")
        #expect(saved.manifest.triggers?.states.map(\.phase) == [.done] && saved.summary.note == "when a says /login:/")
        #expect(try await state(control) == .running)
        // Once.
        bench.left.says("a", "\nlogin: ")
        bench.left.says("a", "login: ")
        _ = try await bench.suspend(control)
        #expect(try await checkpoints(control).sorted() == ["booted", "s1"])
        // The operation that nobody's trigger began says nothing of one.
        #expect(try await control.operations(of: "sim", limit: 1).first?.trigger == nil)
    }

    @Test func whatHappenedIsInThePastOfACheckpointAndWhatDidNotIsArmedAgain() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(
            bench,
            control,
            Self.says("login:", .checkpoint("booted")),
            Self.says("ready", .checkpoint("ready"))
        )
        let early = SaveRequest(simulation: "sim", checkpoint: "early")
        _ = try await control.result(of: control.checkpoint(early))
        bench.left.says("a", "login:\n")
        try await becomes([.done, .armed]) { try await phases(control) }
        // Suspended and resumed: goes on as it was.
        _ = try await bench.suspend(control)
        #expect(try await phases(control) == [.done, .armed], "as when it last ran")
        #expect(try await bench.resume(control).outcome == .done)
        #expect(try await phases(control) == [.done, .armed])
        // Before it: armed anew, and the checkpoint of the other branch stays.
        let goal = ResumeRequest(simulation: "sim", checkpoint: "early")
        let report = try await control.result(of: control.rewind(RewindRequest(goal, keeping: .nothing)))
        #expect(report.outcome == .done)
        #expect(try await phases(control) == [.armed, .armed])
        bench.left.says("a", "login:\n")
        try await becomes([.done, .armed]) { try await phases(control) }
        #expect(try await checkpoints(control).contains("booted-2"))
        // Behind it, in another simulation: it is not done again.
        let clone = CloneRequest(ResumeRequest(simulation: "sim", checkpoint: "booted-2"), as: "twin")
        for started in try await control.clone(clone) { _ = try await control.result(of: started.operation) }
        #expect(try await control.simulation(named: "twin").triggers?.map(\.phase) == [.done, .armed])
    }

    /// Nested repetition takes time that doubles with each character.
    @Test func aPatternThatTakesForEverHoldsNoOperationUp() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(bench, control, Self.says("(a+)+b", .checkpoint(nil)))
        let watch = try #require(control.state.withLock { $0.triggers["sim"] })
        let isThrough = Mutex(false)
        Task {
            _ = await watch.listener.listen(to: [UInt8](repeating: 97, count: 25), for: [0: "(a+)+b"])
            isThrough.withLock { $0 = true }
        }
        let report = try await bench.suspend(control)
        #expect(report.outcome == .done)
        #expect(try await phases(control) == [.armed])
        #expect(!isThrough.withLock { $0 }, "it was still looked for: this test shows something")
    }

    @Test func aStartAnewArmsAll() async throws {
        let bench = try Bench()
        let control = try control(bench)
        let trigger = Self.says("x", .checkpoint(nil))
        try await up(bench, control, trigger)
        bench.left.says("a", "x")
        try await becomes([.done]) { try await phases(control) }
        _ = try await control.down("sim")
        try await up(bench, control, trigger)
        #expect(try await phases(control) == [.armed])
    }

    @Test func oneThatIsMetDuringAnOperationWaitsForItsTurn() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(bench, control, Self.says("one", .checkpoint("one")), Self.says("two", .checkpoint("two")))
        bench.right.script(.report, .held)
        let running = try await control.checkpoint(SaveRequest(simulation: "sim", checkpoint: "mine"))
        bench.left.says("a", "two\none\n")
        try await becomes([.due, .due]) { try await phases(control) }
        #expect(try await control.operations(of: "sim").filter { $0.kind == .checkpoint }.count == 1)
        bench.right.letGo()
        #expect(try await control.result(of: running).outcome == .done)
        try await becomes([.done, .done]) { try await phases(control) }
        let operations = try await control.operations(of: "sim").filter { $0.kind == .checkpoint }
        #expect(operations.compactMap(\.checkpoint) == ["two", "one", "mine"], "in the order of the manifest")
    }

    @Test func oneThatSuspendsLeavesTheOthersDueUntilItRunsAgain() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(bench, control, Self.says("x", .suspend("stopped")), Self.says("x", .checkpoint("later")))
        bench.left.says("a", "x\n")
        try await becomes(.suspended) { try await state(control) }
        #expect(try await checkpoints(control) == ["stopped"])
        #expect(try await phases(control) == [.done, .due])
        #expect(try await bench.resume(control).outcome == .done)
        try await becomes([.done, .done]) { try await phases(control) }
        #expect(try await checkpoints(control).sorted() == ["later", "stopped"])
    }

    @Test func whatFailsIsToldAndNotTriedAgain() async throws {
        let bench = try Bench()
        let control = try control(bench)
        var changes = control.changes(after: nil).makeAsyncIterator()
        try await up(bench, control, Self.says("x", .suspend(nil)), Self.says("y", .checkpoint(nil)))
        bench.right.script(.report, .failed("disk-full"))
        bench.left.says("a", "x\n")
        try await becomes([.failed, .armed]) { try await phases(control) }
        let trigger = try #require(try await control.simulation(named: "sim").triggers?.first)
        #expect(trigger.problem?.contains("disk-full") == true || trigger.problem?.contains("could not save") == true)
        let operation = try await control.operation(try #require(trigger.operation))
        #expect(operation.report?.outcome == .failed && operation.trigger != nil)
        try await becomes(Bench.running) { bench.states }
        // What is said behind it is heard behind it.
        bench.left.says("a", "x\ny\n")
        try await becomes([.failed, .done]) { try await phases(control) }
        #expect(try await control.operations(of: "sim").filter { $0.kind == .suspend }.count == 1)
        var told: [TriggerState.Phase] = []
        while told.last != .failed, let change = await changes.next() {
            if case .trigger("sim", let report) = change.what { told.append(report.phase) }
        }
        #expect(told == [.due, .begun, .failed])
    }

    @Test func anInstantThatWasMissedIsTakenAgainAndNotForEver() async throws {
        let bench = try Bench()
        let control = try control(bench)
        try await up(bench, control, Self.says("x", .checkpoint("a")), Self.says("y", .checkpoint("b")))
        bench.right.script(.report, .missed("late"))
        bench.left.says("a", "x\n")
        try await becomes([.done, .armed]) { try await phases(control) }
        bench.right.script(.report, .missed("late"), .missed("late"), .missed("late"), .missed("late"), .missed("late"))
        bench.left.says("a", "y\n")
        try await becomes([.done, .failed]) { try await phases(control) }
        #expect(try await control.operations(of: "sim").filter { $0.report?.outcome == .missed }.count == 5)
    }

    @Test func aHookIsToldWhatItIsFor() async throws {
        let bench = try Bench()
        let runner = Runner()
        let control = try control(bench, runner)
        try await up(bench, control, TriggerSpec(.event(machine: "a", .shutdown), Self.hook()))
        bench.left.befalls("a", .shutdown)
        try await becomes([.done]) { try await phases(control) }
        let input = runner.inputs.withLock { $0 }
        #expect(input.count == 1 && input[0].contains(#""event":"trigger""#) && input[0].contains("a shuts down"))
        #expect(input[0].contains(#""machine":"a""#) && input[0].hasSuffix("}\n"))
    }

    @Test func aHookThatFailsIsToldAndOneThatHangsEndsWithTheDaemon() async throws {
        let bench = try Bench()
        let runner = Runner(HookRun(end: .exited, status: 4, duration: .zero, errors: "no bench\n"))
        let control = try control(bench, runner)
        try await up(bench, control, Self.says("x", Self.hook()), Self.says("y", Self.hook("hang")))
        bench.left.says("a", "x\n")
        try await becomes([.failed, .armed]) { try await phases(control) }
        let problem = try await control.simulation(named: "sim").triggers?.first?.problem
        #expect(problem == "tell ended with 4: no bench")
        bench.left.says("a", "y\n")
        try await becomes(2) { runner.inputs.withLock { $0.count } }
        _ = await control.windDown()
    }

    @Test func guestTimeThatHasPassedIsACondition() async throws {
        let bench = try Bench()
        let control = try control(bench)
        var spec = Bench.spec
        spec.triggers = [TriggerSpec(.guest(.milliseconds(200)), .checkpoint("then"))]
        _ = try await control.result(of: control.up(UpRequest(spec: spec)))
        try await becomes([.done]) { try await phases(control) }
        #expect(try #require(try await control.show("sim", "then").manifest.triggers).ran >= .milliseconds(200))
    }

    @Test func guestTimeStandsStillWhileTheyDo() async throws {
        let bench = try Bench()
        let control = try control(bench)
        var spec = Bench.spec
        spec.triggers = [TriggerSpec(.guest(.seconds(1_000_000)), .checkpoint(nil))]
        _ = try await control.result(of: control.up(UpRequest(spec: spec)))
        _ = try await bench.suspend(control, as: "first")
        try await Task.sleep(for: .milliseconds(400))
        let resumed = HostInstant.now
        #expect(try await bench.resume(control).outcome == .done)
        _ = try await control.result(of: control.checkpoint(SaveRequest(simulation: "sim", checkpoint: "second")))
        _ = try await bench.suspend(control, as: "third")
        let ran = HostInstant.now - resumed
        var readings: [Span] = []
        for name in ["first", "second", "third"] {
            readings.append(try #require(try await control.show("sim", name).manifest.triggers).ran)
        }
        #expect(readings == readings.sorted() && readings[0] >= .zero)
        #expect(readings[2] - readings[0] <= ran, "the time in the checkpoint is none of the guests'")
    }

    @Test func anotherDaemonGoesOnWhereTheLastOneWas() async throws {
        let bench = try Bench()
        let first = try control(bench)
        try await up(bench, first, Self.says("x", .checkpoint("x")), Self.says("y", .checkpoint("y")))
        bench.left.says("a", "x\n")
        try await becomes([.done, .armed]) { try await phases(first) }
        _ = await first.windDown()
        // Said while nobody listened.
        bench.left.says("a", "y\n")
        let second = try control(bench)
        _ = await second.recover()
        try await becomes([.done, .done]) { try await phases(second) }
        #expect(try await checkpoints(second).sorted() == ["x", "y"])
    }

    @Test func whatADaemonHadBegunWhenItDiedIsDoneOnce() async throws {
        let bench = try Bench()
        let first = try control(bench)
        try await up(bench, first, Self.says("x", .checkpoint("x")), Self.says("y", .checkpoint("y")))
        bench.left.says("a", "x\n")
        try await becomes([.done, .armed]) { try await phases(first) }
        _ = await first.windDown()
        var record = try #require(try await bench.store.triggers(of: "sim"))
        let done = record.states[0].operation
        // As if it had died before it wrote down how the first ended, and before the second began.
        record.states[0].phase = .begun
        record.states[1] = TriggerState(.begun, met: .now, operation: OperationID(text: "never"))
        try await bench.store.apply(StoreChange(triggers: record))
        let second = try control(bench)
        _ = await second.recover()
        try await becomes([.done, .done]) { try await phases(second) }
        #expect(try await second.simulation(named: "sim").triggers?.first?.operation == done)
        #expect(try await checkpoints(second).sorted() == ["x", "y"])
    }

    @Test func takenDownNothingIsDueAnyMore() async throws {
        let bench = try Bench()
        let control = try control(bench)
        var changes = control.changes(after: nil).makeAsyncIterator()
        try await up(bench, control, Self.says("x", .suspend("stopped")), Self.says("x", .checkpoint("later")))
        bench.right.script(.report, .held, .failed("disk-full"))
        let running = try await control.checkpoint(SaveRequest(simulation: "sim", checkpoint: "mine"))
        bench.left.says("a", "x\n")
        try await becomes([.due, .due]) { try await phases(control) }
        try control.cancel(running)
        bench.right.letGo()
        _ = try await control.result(of: running)
        // Before or after one of them had its turn.
        while (try? await control.down("sim")) == nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(control.state.withLock { $0.triggers["sim"] == nil })
        #expect(bench.states.isEmpty)
        #expect(try await !phases(control).contains(.due), "what is shown later is what was told")
        var told: Set<TriggerState.Phase> = []
        while !told.contains(.failed), let change = await changes.next() {
            if case .trigger(_, let report) = change.what { told.insert(report.phase) }
        }
    }

    @Test func machinesOfOtherHostsAreLookedAtAlsoWhenTheirHostWasAway() async throws {
        let bench = try Bench()
        let control = try control(bench)
        bench.right.world.withLock { $0.befallen["sim/c"] = nil }
        try await up(
            bench,
            control,
            TriggerSpec(.serial(machine: "c", port: nil, pattern: "x"), .checkpoint("said")),
            TriggerSpec(.event(machine: "c", .reset), .checkpoint("reset"))
        )
        bench.right.says("c", "x\n")
        try await becomes([.done, .armed]) { try await phases(control) }
        // What befell it meanwhile is kept there.
        bench.right.world.withLock { $0.isOff = true }
        bench.right.befalls("c", .reset)
        bench.right.world.withLock { $0.isOff = false }
        try await becomes([.done, .done]) { try await phases(control) }
        #expect(try await checkpoints(control).sorted() == ["reset", "said"])
    }

    /// It may shut down in the moment in which it goes on: nobody has looked then.
    @Test func whatBefellAMachineBeforeItWasLookedAtIsSeen() async throws {
        let bench = try Bench()
        let runner = Runner()
        let control = try control(bench, runner)
        var spec = Bench.spec
        spec.triggers = [TriggerSpec(.event(machine: "a", .shutdown), Self.hook())]
        bench.right.script(.report, .held)
        let starting = try await control.up(UpRequest(spec: spec))
        try await becomes(.running) { bench.left.states(of: "sim")["a"] }
        bench.left.befalls("a", .shutdown)
        bench.right.letGo()
        #expect(try await control.result(of: starting).outcome == .done)
        try await becomes([.done]) { try await phases(control) }
    }

    @Test func whoIsToldThatOneIsOverFindsItsSimulationFree() async throws {
        let bench = try Bench()
        let control = try control(bench)
        var changes = control.changes(after: nil).makeAsyncIterator()
        try await up(bench, control, Self.says("x", .checkpoint("x")))
        bench.left.says("a", "x\n")
        while let change = await changes.next() {
            if case .trigger(_, let report) = change.what, report.phase == .done { break }
        }
        #expect(try await phases(control) == [.done])
        #expect(try await bench.suspend(control).outcome == .done)
    }

    @Test(arguments: [
        TriggerSpec(.serial(machine: "nobody", port: nil, pattern: "x"), .checkpoint(nil)),
        TriggerSpec(.serial(machine: "a", port: 3, pattern: "x"), .checkpoint(nil)),
        TriggerSpec(.serial(machine: "a", port: nil, pattern: "["), .checkpoint(nil)),
        TriggerSpec(
            .serial(machine: "a", port: nil, pattern: String(repeating: "(", count: 100_000)),
            .checkpoint(nil)
        ),
        TriggerSpec(.serial(machine: "a", port: nil, pattern: "x"), .checkpoint("../x")),
        TriggerSpec(.event(machine: "a", .shutdown), .suspend(nil)),
        TriggerSpec(.guest(.seconds(-1)), .checkpoint(nil)),
        TriggerSpec(.guest(.seconds(1)), .hook([], timeout: .seconds(1))),
    ])
    func whatNoManifestWouldSayIsRefused(_ trigger: TriggerSpec) async throws {
        let bench = try Bench()
        let control = try control(bench)
        var spec = Bench.spec
        spec.triggers = [trigger]
        let request = UpRequest(spec: spec)
        let error = await #expect(throws: ControlError.self) { try await control.up(request) }
        #expect(error?.reasons.map(\.code) == ["spec-invalid"] && error?.exitCode == 2, "\(error as Any)")
    }
}
