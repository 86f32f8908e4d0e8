import HostClock
import HypervisorAPI
import Time

extension OperationRun {
    private static let callOffPatience = Span.seconds(2)

    struct Refusal: Error {
        var outcome: OperationOutcome
        var reasons: [Reason]
    }

    /// Asks all hypervisors at once. Unless all are ready, whoever was is let off again, also one whose answer comes late.
    func prepareAll() async -> Result<[(OperationPlan.Part, Handle)], Refusal> {
        let limit = options.prepareTimeout
        let callOff = live.callOff
        // A host that is in the middle of preparing is given a moment to end that, so that nothing is held when the caller
        // hears that all is as before.
        let patience = CallOff()
        let unlink = callOff.onCall {
            Task {
                try? await Task.sleep(for: Self.callOffPatience.duration)
                patience.call()
            }
        }
        defer { unlink() }
        let answers = await withTaskGroup(of: (Int, PrepareAnswer?).self) { group in
            for (index, part) in plan.parts.enumerated() {
                group.addTask {
                    let answer = await within(limit, unless: patience) {
                        await part.hypervisor.prepare(part.order)
                    } late: { answer in
                        if case .ready(let handle) = answer { await part.hypervisor.cancel(handle) }
                    }
                    return (index, answer)
                }
            }
            return await group.reduce(into: [Int: PrepareAnswer]()) { $0[$1.0] = $1.1 }
        }
        var ready: [(OperationPlan.Part, Handle)] = []
        var reasons: [Reason] = []
        for (index, part) in plan.parts.enumerated() {
            switch answers[index] {
            case .ready(let handle):
                ready.append((part, handle))
                reasons += problems(of: handle, from: part)
            case .refused(let why):
                reasons += why.isEmpty ? [.noReason(part.hypervisor.host)] : why
            case nil where callOff.isCalled: break
            case nil: reasons.append(.noAnswer(part.hypervisor.host, limit))
            }
        }
        if callOff.isCalled {
            await cancel(ready)
            return .failure(Refusal(outcome: .cancelled, reasons: [.cancelled]))
        }
        guard reasons.isEmpty else {
            await cancel(ready)
            return .failure(
                Refusal(outcome: OperationOutcome(failureWith: reasons, otherwise: .refused), reasons: reasons)
            )
        }
        return .success(ready)
    }

    func cancel(_ prepared: [(OperationPlan.Part, Handle)]) async {
        let limit = options.answerTimeout
        await withDiscardingTaskGroup { group in
            for (part, handle) in prepared {
                group.addTask { _ = await within(limit) { await part.hypervisor.cancel(handle) } }
            }
        }
    }

    /// Waits for what every hypervisor says has happened; the first that says something bad ends the waiting, since until the
    /// rollback everybody's machines stand still.
    /// - Returns: nil when it was done everywhere.
    mutating func collectReports(after instant: HostInstant) async -> Ending? {
        let limit = max(.zero, instant - control.clock.now()) + options.reportTimeout
        let operation = record.id
        let enough = CallOff()
        let unlink = live.callOff.onCall { enough.call() }
        defer { unlink() }
        var reasons: [Reason] = []
        var failed = false
        let parts = plan.parts
        await withTaskGroup(of: (OperationPlan.Part, Result<HypervisorReport, HypervisorError>?).self) { group in
            for part in parts {
                group.addTask {
                    let answer = await within(limit, unless: enough) {
                        () -> Result<HypervisorReport, HypervisorError> in
                        do throws(HypervisorError) {
                            return .success(try await part.hypervisor.report(of: operation))
                        } catch {
                            return .failure(error)
                        }
                    }
                    return (part, answer)
                }
            }
            for await (part, answer) in group {
                switch answer {
                case .success(let report):
                    reports.append(report)
                    let (bad, missed) = problems(of: report, from: part)
                    reasons += bad
                    failed = failed || !bad.isEmpty && !missed
                case .failure(let error):
                    reasons += error.reasons.isEmpty ? [.noReason(part.hypervisor.host)] : error.reasons
                    failed = true
                case nil where enough.isCalled: break
                case nil:
                    reasons.append(.noAnswer(part.hypervisor.host, limit))
                    failed = true
                }
                if !reasons.isEmpty { enough.call() }
            }
        }
        if live.callOff.isCalled { return .undo(.cancelled, [.cancelled] + reasons, parts) }
        guard !reasons.isEmpty else { return nil }
        return .undo(OperationOutcome(failureWith: reasons, otherwise: failed ? .failed : .missed), reasons, parts)
    }

    /// A handle for something else than what was asked is as bad as none.
    private func problems(of handle: Handle, from part: OperationPlan.Part) -> [Reason] {
        let right =
            handle.operation == record.id && handle.kind == record.kind && handle.simulation == record.simulation
            && Set(handle.machines) == Set(part.machines) && handle.instant == plan.instant
        guard !right else { return [] }
        return [
            Reason(
                code: "handle-wrong",
                message: "host \(part.hypervisor.host) promised something else than it was asked for"
            )
        ]
    }

    private func problems(of report: HypervisorReport, from part: OperationPlan.Part) -> (bad: [Reason], missed: Bool) {
        let host = part.hypervisor.host
        switch report.outcome {
        case .missed(let reasons): return (reasons.isEmpty ? [.noReason(host)] : reasons, true)
        case .failed(let reasons): return (reasons.isEmpty ? [.noReason(host)] : reasons, false)
        case .done: break
        }
        let names = report.machines.map(\.name)
        var missing = part.machines.filter { !names.contains($0) }
        if record.kind.saves {
            missing += report.machines.filter { $0.saved?.name != $0.name || $0.saved?.host != host }.map(\.name)
        }
        guard report.operation == record.id, report.kind == record.kind, names.count == part.machines.count,
            missing.isEmpty
        else {
            let reason = Reason(
                code: "report-incomplete",
                message: "host \(host) says it is done, but not of every machine it was asked for: "
                    + missing.sorted().joined(separator: ", ")
            )
            return ([reason], false)
        }
        return ([], false)
    }
}

extension Reason {
    static func noReason(_ host: String) -> Reason {
        Reason(code: "no-reason", message: "host \(host) gave no reason; see its log")
    }
}
