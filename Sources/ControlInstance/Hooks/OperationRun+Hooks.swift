import Glibc
import HypervisorAPI
import Time

/// Commands of the user's before and after an operation: those of the state folder, for all simulations, and then the manifest's.
extension OperationRun {
    /// The exit status by which a hook refuses an operation.
    private static let veto: Int32 = 3

    /// Runs what is to run before anything is taken for the operation.
    /// - Returns: why it is not to begin; the first hook that refuses it is the last that runs.
    mutating func runHooksBefore() async -> [Reason] {
        let event = HookEvent.before(record.kind)
        for hook in hooks(for: event) {
            let run = await run(hook, reporting: nil)
            if run.end == .exited, run.status == Self.veto {
                let why = run.lastLine ?? "it gives no reason"
                return [Reason(code: "hook-vetoed", message: "\(Self.name(of: hook)) refuses it: \(why)")]
            }
            if live.callOff.isCalled { return [] }
            note(hook, run)
        }
        return []
    }

    /// Runs what is to run when it is over, and puts that into its report.
    mutating func runHooksAfter(_ report: OperationReport) async -> OperationReport {
        var report = report
        // Of what is not settled nobody can be told how it ended, and machines may stand still until it is.
        if report.outcome != .cancelled, report.outcome != .unknown {
            let event = report.outcome == .done ? HookEvent.after(record.kind) : .failed
            for hook in hooks(for: event) { note(hook, await run(hook, reporting: report)) }
        }
        guard !hookReports.isEmpty else { return report }
        report.hooks = hookReports
        report.notes += hookNotes
        // Only what is over: the database may have a decision of which this record does not know, and it is what counts then.
        guard record.state.phase == .finished else { return report }
        record.report = report
        do throws(StoreError) {
            try await control.store.apply(StoreChange(operation: record))
        } catch {
            report.notes.append("what its hooks said could not be recorded: \(error)")
        }
        return report
    }

    private func hooks(for event: HookEvent) -> [HookSpec] {
        guard control.hookRunner != nil else { return [] }
        var hooks: [HookSpec] = []
        let path = "\(control.home)/hooks/\(event.rawValue)"
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            hooks.append(HookSpec(event: event, command: [path]))
        }
        return hooks + (record.target.spec.hooks ?? []).filter { $0.event == event && !$0.command.isEmpty }
    }

    private mutating func run(_ hook: HookSpec, reporting report: OperationReport?) async -> HookRun {
        guard let runner = control.hookRunner else { return HookRun(end: .notStarted, duration: .zero) }
        let input = HookInput(hook.event, plan, report).bytes
        let variables = [
            "FERMATA_HOOK": hook.event.rawValue, "FERMATA_SIMULATION": record.simulation,
            "FERMATA_OPERATION": record.id.text,
        ]
        let task = Task { await runner.run(hook, variables: variables, input: input) }
        let forget = live.callOff.onCall { task.cancel() }
        let run = await task.value
        forget()
        hookReports.append(HookReport(hook, run))
        return run
    }

    private mutating func note(_ hook: HookSpec, _ run: HookRun) {
        let name = Self.name(of: hook)
        let said = run.lastLine.map { ": \($0)" } ?? ""
        switch run.end {
        case .exited where run.status == 0: break
        case .exited: hookNotes.append("\(name) ended with \(run.status ?? 0)\(said)")
        case .signal: hookNotes.append("\(name) was ended by signal \(run.status ?? 0)\(said)")
        case .timeout: hookNotes.append("\(name) took longer than \(hook.timeout) and was ended\(said)")
        case .cancelled: hookNotes.append("\(name) was ended, since the operation was called off")
        case .notStarted: hookNotes.append("\(name) cannot be run\(said)")
        }
        if run.stragglers > 0 {
            hookNotes.append("\(name) left processes running (\(run.stragglers)), which were ended")
        }
    }

    private static func name(of hook: HookSpec) -> String { "the hook \(hook.event.rawValue) (\(hook.command[0]))" }
}
