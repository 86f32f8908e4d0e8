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
    /// For another control instance, or for a database.
    private static let longestPause: Duration = .seconds(2)
    private static let waits: Set<String> = ["busy", "driven-elsewhere", "database-failed"]

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
        var pause = Self.turnPause
        while !watch.isOver {
            guard state.withLock({ $0.claims[simulation] }) == nil else {
                try? await Task.sleep(for: Self.turnPause)
                continue
            }
            var beginning = Beginning.notRecorded
            do throws(ControlError) {
                let id = try await begin(simulation, kind.rawValue, as: nil) { id throws(ControlError) in
                    // Only with its simulation in hand: one that has to wait for that writes nothing.
                    beginning = await self.begin(index, id, watch)
                    guard beginning == .begun else { throw Self.notBegun }
                    return self.undertake(try await self.plan(kind, to: name, watch.book, index, id))
                }
                let report = try await result(of: id)
                guard report.outcome == .missed else { return }
                guard attempt < Self.attempts else {
                    return await change(watch) {
                        $0.end(index, "\(attempt) instants were missed: \(ControlError(report.reasons))")
                    }
                }
                attempt += 1
                pause = Self.turnPause
                await change(watch) { $0.postpone(index) }
            } catch {
                switch beginning {
                case .over: return
                case .begun: return await change(watch) { $0.end(index, "\(error)") }
                case .notRecorded:
                    guard error.reasons.allSatisfy({ Self.waits.contains($0.code) }) else {
                        return await change(watch) { $0.end(index, "\(error)") }
                    }
                    try? await Task.sleep(for: pause)
                    pause = min(pause + pause, Self.longestPause)
                }
            }
        }
    }

    /// Nobody is told.
    private static let notBegun = ControlError(
        code: "database-failed",
        message: "the trigger's state cannot be recorded"
    )

    private func plan(
        _ kind: OperationKind,
        to name: String?,
        _ book: TriggerBook,
        _ index: Int,
        _ id: OperationID
    ) async throws(ControlError) -> OperationPlan {
        let trigger = book.specs[index]
        var request = SaveRequest(
            simulation: book.simulation,
            checkpoint: try await freeName(like: name, of: book.simulation),
            annotations: Annotations(note: "when \(Visible.text(trigger.when))"),
            operation: id
        )
        request.trigger = trigger.when
        return try await plan(request, kind, id)
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
        var pause = Self.turnPause
        var beginning = await begin(index, nil, watch)
        while beginning == .notRecorded, !watch.isOver {
            try? await Task.sleep(for: pause)
            pause = min(pause + pause, Self.longestPause)
            beginning = await begin(index, nil, watch)
        }
        guard beginning == .begun else { return }
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
