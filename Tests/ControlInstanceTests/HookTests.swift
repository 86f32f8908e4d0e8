import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// When hooks run, what they are told, and what becomes of an operation that one refuses.
struct HookTests {
    /// Answers by event, and notes what was run.
    private final class Runner: HookRunner {
        private let answers: [HookEvent: HookRun]
        private let record = Mutex<[(HookSpec, [String: String], [UInt8])]>([])

        init(_ answers: [HookEvent: HookRun] = [:]) { self.answers = answers }

        func run(_ hook: HookSpec, variables: [String: String], input: [UInt8]) async -> HookRun {
            record.withLock { $0.append((hook, variables, input)) }
            if hook.command == ["hang"] { try? await Task.sleep(for: .seconds(1000)) }
            if Task.isCancelled { return HookRun(end: .cancelled, duration: .zero) }
            return answers[hook.event] ?? HookRun(end: .exited, status: 0, duration: .zero)
        }

        var events: [HookEvent] { record.withLock { $0.map(\.0.event) } }
        var commands: [String] { record.withLock { $0.map { $0.0.command[0] } } }
        var variables: [[String: String]] { record.withLock { $0.map(\.1) } }
        var inputs: [Told] {
            record.withLock { $0.compactMap { try? JSONDecoder().decode(Told.self, from: Data($0.2)) } }
        }
    }

    private struct Told: Decodable {
        struct Machine: Decodable { let name: String, host: String }
        let event: HookEvent, operation: OperationID, simulation: String, checkpoint: String?
        let machines: [Machine]
        let report: OperationReport?
    }

    private func control(_ bench: Bench, _ runner: Runner) throws -> ControlInstance {
        try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right],
            store: bench.store,
            options: Bench.options,
            hooks: runner
        )
    }

    private func up(_ control: ControlInstance, _ events: [HookEvent], command: String = "hook") async throws
        -> OperationReport
    {
        var spec = Bench.spec
        spec.hooks = events.map { HookSpec(event: $0, command: [command]) }
        return try await control.result(of: control.up(UpRequest(spec: spec)))
    }

    @Test func eachRunsAtItsTimeAndReadsThePlanOrTheReport() async throws {
        let bench = try Bench()
        let runner = Runner()
        let control = try control(bench, runner)
        #expect(try await up(control, HookEvent.allCases).outcome == .done)
        let suspended = try await bench.suspend(control)
        #expect(suspended.outcome == .done && suspended.hooks?.map(\.event) == [.beforeSuspend, .afterSuspend])
        #expect(suspended.hooks?.allSatisfy { $0.end == .exited && $0.status == 0 } == true)
        #expect(try await bench.resume(control).outcome == .done)
        let save = SaveRequest(simulation: "sim", checkpoint: "live")
        #expect(try await control.result(of: control.checkpoint(save)).outcome == .done)
        #expect(
            runner.events == [
                .beforeStart, .afterStart, .beforeSuspend, .afterSuspend, .beforeResume, .afterResume,
                .beforeCheckpoint,
                .afterCheckpoint,
            ]
        )
        let told = runner.inputs
        #expect(told.count == 8 && told.allSatisfy { $0.simulation == "sim" })
        #expect(told[2].checkpoint == "s1" && told[2].report == nil && told[2].machines.map(\.name) == ["a", "b", "c"])
        #expect(told[3].report?.outcome == .done && told[3].report?.operation == suspended.operation)
        #expect(runner.variables[2]["FERMATA_HOOK"] == "before-suspend")
        #expect(runner.variables[2]["FERMATA_OPERATION"] == suspended.operation.text)
        // What was told is recorded.
        #expect(try await control.operation(suspended.operation).report?.hooks?.count == 2)
    }

    @Test func oneThatRunsBeforeMayRefuse() async throws {
        let bench = try Bench()
        let veto = HookRun(end: .exited, status: 3, duration: .zero, errors: "first\nthe bench is in use\n")
        let runner = Runner([.beforeSuspend: veto])
        let control = try control(bench, runner)
        #expect(try await up(control, [.beforeSuspend, .beforeSuspend, .afterSuspend, .failed]).outcome == .done)
        let report = try await bench.suspend(control)
        #expect(report.outcome == .refused && report.exitCode == 3)
        #expect(
            report.reasons.map(\.code) == ["hook-vetoed"] && report.reasons[0].message.hasSuffix("the bench is in use")
        )
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
        #expect(runner.events == [.beforeSuspend, .failed])
        #expect(try await control.simulation(named: "sim").summary.state == .running)
    }

    @Test(
        arguments: [
            HookRun(end: .exited, status: 1, duration: .zero, output: "no\n"),
            HookRun(end: .signal, status: 9, duration: .zero), HookRun(end: .timeout, duration: .zero),
            HookRun(end: .notStarted, duration: .zero, errors: "no such file"),
            HookRun(end: .exited, status: 0, duration: .zero, stragglers: 2),
        ]
    )
    func oneThatFailsIsANoteAndNoMore(_ run: HookRun) async throws {
        let bench = try Bench()
        let control = try control(bench, Runner([.beforeSuspend: run, .afterSuspend: run]))
        #expect(try await up(control, [.beforeSuspend, .afterSuspend]).outcome == .done)
        let report = try await bench.suspend(control)
        #expect(report.outcome == .done && report.notes.count { $0.contains("the hook") } == 2)
    }

    @Test func anOperationThatIsCalledOffWaitsForNone() async throws {
        let bench = try Bench()
        let runner = Runner()
        let control = try control(bench, runner)
        #expect(try await up(control, [.beforeSuspend, .failed], command: "hang").outcome == .done)
        let operation = try await control.suspend(SaveRequest(simulation: "sim"))
        while runner.events.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        try control.cancel(operation)
        let report = try await control.result(of: operation)
        #expect(report.outcome == .cancelled && report.hooks?.map(\.end) == [.cancelled])
        #expect(runner.events == [.beforeSuspend] && bench.states == Bench.running)
    }

    @Test func thoseOfTheStateFolderRunForAllAndFirst() async throws {
        let bench = try Bench()
        let runner = Runner()
        let control = try control(bench, runner)
        try FileManager.default.createDirectory(
            atPath: "\(bench.home)/hooks/after-resume",
            withIntermediateDirectories: true
        )
        try Data().write(to: URL(filePath: "\(bench.home)/hooks/before-start"))
        // A folder is no hook.
        #expect(try await up(control, [.beforeStart]).outcome == .done)
        #expect(runner.commands == ["\(bench.home)/hooks/before-start", "hook"])
    }
}
