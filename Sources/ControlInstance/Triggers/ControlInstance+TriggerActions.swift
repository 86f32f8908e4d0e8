import HostClock
import HypervisorAPI
import Logging
import SerialText
import Synchronization
import Time

/// What triggers do.
extension ControlInstance {
    /// An instant that a busy host misses is taken so many times.
    private static let attempts = 4
    private static let longestName = 63
    private static let turnPause: Duration = .milliseconds(50)

    /// Saves come one after the other, in the order of the manifest; hooks wait for nothing.
    func actOnDue(_ watch: TriggerWatch) {
        for index in watch.book.due where watch.take(index) {
            // Of the instance's own, as its operations are.
            Task {
                await act(index, watch)
                watch.giveBack(index)
                actOnDue(watch)
            }
        }
    }

    private func act(_ index: Int, _ watch: TriggerWatch) async {
        let trigger = watch.book.specs[index]
        switch trigger.action {
        case .checkpoint(let name): await save(name, .checkpoint, index, watch)
        case .suspend(let name): await save(name, .suspend, index, watch)
        case .hook(let command, let timeout):
            await run(HookSpec(event: .trigger, command: command, timeout: timeout), index, watch)
        }
    }

    private func save(_ name: String?, _ kind: OperationKind, _ index: Int, _ watch: TriggerWatch) async {
        let simulation = watch.book.simulation
        var attempt = 1
        while !watch.isOver {
            guard state.withLock({ $0.claims[simulation] }) == nil else {
                try? await Task.sleep(for: Self.turnPause)
                continue
            }
            let id = OperationID.new(at: clock.now())
            // Written down first: a daemon that is started anew knows whether it has begun.
            await change(watch) { $0.begin(index, id) }
            do throws(ControlError) {
                try await begin(id, kind, of: simulation, to: name, watch.book.specs[index])
                let report = try await result(of: id)
                guard report.outcome == .missed else { return }
                guard attempt < Self.attempts else {
                    return await change(watch) {
                        $0.end(index, "\(attempt) instants were missed: \(ControlError(report.reasons))")
                    }
                }
                attempt += 1
                await change(watch) { $0.postpone(index) }
            } catch {
                guard error.reasons.allSatisfy({ ["busy", "driven-elsewhere"].contains($0.code) }) else {
                    return await change(watch) { $0.end(index, "\(error)") }
                }
                await change(watch) { $0.postpone(index) }
                try? await Task.sleep(for: Self.turnPause)
            }
        }
    }

    private func begin(
        _ id: OperationID,
        _ kind: OperationKind,
        of simulation: String,
        to name: String?,
        _ trigger: TriggerSpec
    ) async throws(ControlError) {
        var request = SaveRequest(
            simulation: simulation,
            checkpoint: try await freeName(like: name, of: simulation),
            annotations: Annotations(note: "when \(Visible.text(trigger.when))"),
            operation: id
        )
        request.trigger = trigger.when
        if kind == .suspend { _ = try await suspend(request) } else { _ = try await checkpoint(request) }
    }

    /// Of a run that was gone back to, and of which the name is taken: the next of `booted`, `booted-2`, `booted-3`…
    private func freeName(like wanted: String?, of simulation: String) async throws(ControlError) -> String? {
        guard let wanted else { return nil }
        var number = 1
        while true {
            let suffix = number == 1 ? "" : "-\(number)"
            do throws(ControlError) {
                return try await newCheckpointName(
                    String(wanted.prefix(Self.longestName - suffix.utf8.count)) + suffix,
                    of: simulation
                )
            } catch {
                guard error.reasons.contains(where: { $0.code == "checkpoint-exists" }) else { throw error }
                number += 1
            }
        }
    }

    /// Hooks are processes of this one, and end with it.
    func endHookRuns() async {
        let runs = state.withLock { Array($0.hookRuns.values) }
        for run in runs { run.cancel() }
        for run in runs { _ = await run.value }
    }

    private func run(_ hook: HookSpec, _ index: Int, _ watch: TriggerWatch) async {
        await change(watch) { $0.begin(index, nil) }
        let book = watch.book
        guard let hookRunner else {
            return await change(watch) { $0.end(index, "this control instance runs no hooks") }
        }
        let report = TriggerReport(book.specs[index], book.states[index])
        let variables = ["FERMATA_HOOK": hook.event.rawValue, "FERMATA_SIMULATION": book.simulation]
        let input = TriggerInput(simulation: book.simulation, trigger: report).bytes
        let task = Task { await hookRunner.run(hook, variables: variables, input: input) }
        let key = state.withLock { $0.addHookRun(task) }
        let run = await task.value
        state.withLock { _ = $0.hookRuns.removeValue(forKey: key) }
        await change(watch) { $0.end(index, run.problem(of: hook)) }
        // Of a run that has ended meanwhile nobody is told otherwise.
        if watch.isOver, let problem = run.problem(of: hook) {
            logger.warning("trigger", metadata: ["simulation": "\(book.simulation)", "problem": "\(problem)"])
        }
    }
}

extension HookRun {
    /// Why it has failed, as a clause; nil: it has not.
    fileprivate func problem(of hook: HookSpec) -> String? {
        let said = lastLine.map { ": \($0)" } ?? ""
        let name = hook.command.first ?? ""
        return switch end {
        case .exited where status == 0: nil
        case .exited: "\(name) ended with \(status ?? 0)\(said)"
        case .signal: "\(name) was ended by signal \(status ?? 0)\(said)"
        case .timeout: "\(name) took longer than \(hook.timeout) and was ended\(said)"
        case .cancelled: "\(name) was ended"
        case .notStarted: "\(name) cannot be run\(said)"
        }
    }
}
