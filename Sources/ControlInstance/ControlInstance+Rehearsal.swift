import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// Prepares an operation on every host and lets all of it go again: the plan, with each host's readiness or reasons.
    ///
    /// What a resume prepares is what it would: processes are started and ended, and resources acquired and released. Only the RAM of
    /// a checkpoint is never given away for it. A host that is not ready is no error.
    /// - Throws: when the operation could not even begin.
    public func rehearse(_ rehearsal: Rehearsal) async throws(ControlError) -> RehearsalReport {
        try await claiming(rehearsal.simulation, for: "dry run") { () throws(ControlError) in
            try await settleOlder(rehearsal.simulation, "that")
            let id = OperationID.new(at: clock.now())
            switch rehearsal {
            case .suspend(let request): return await tryOut(try await plan(request, .suspend, id))
            case .checkpoint(let request): return await tryOut(try await plan(request, .checkpoint, id))
            case .resume(var request):
                if request.ram == .consume { request.ram = .keep }
                return await tryOut(try await plan(request, id))
            case .rewind(let request): return await tryOut(try await plan(request, id))
            }
        }
    }

    private func tryOut(_ rewind: Rewind) async -> RehearsalReport {
        let goal = rewind.resume.record.checkpoint ?? ""
        switch rewind.first {
        case .nothing: return await tryOut(rewind.resume)
        case .suspend(let plan):
            var report = await tryOut(plan)
            report.notes.append("then it goes on from \(goal), for which nothing was found that stands against it")
            return report
        case .end(_, let instant):
            let note = "what runs is ended without being saved, and then it goes on from \(goal)"
            let hosts = rewind.resume.parts.map {
                RehearsalReport.Host(host: $0.hypervisor.host, ready: true, machines: $0.machines)
            }
            return report(of: rewind.resume, hosts, at: instant ?? clock.now(), notes: [note])
        }
    }

    private func tryOut(_ plan: OperationPlan) async -> RehearsalReport {
        let limit = options.prepareTimeout
        let asked = clock.now()
        let answers = await withTaskGroup(of: (Int, PrepareAnswer?).self) { group in
            for (index, part) in plan.parts.enumerated() {
                group.addTask {
                    let answer = await within(limit) {
                        await part.hypervisor.prepare(part.order)
                    } late: { answer in
                        if case .ready(let handle) = answer { await part.hypervisor.cancel(handle) }
                    }
                    return (index, answer)
                }
            }
            return await group.reduce(into: [Int: PrepareAnswer]()) { $0[$1.0] = $1.1 }
        }
        var hosts: [RehearsalReport.Host] = []
        var earliest = asked
        for (index, part) in plan.parts.enumerated() {
            let name = part.hypervisor.host
            var host = RehearsalReport.Host(host: name, ready: false, machines: part.machines)
            switch answers[index] {
            case .ready(let handle):
                // A host that does not answer lets go of it by itself when the handle's time is over.
                _ = await within(options.answerTimeout) { await part.hypervisor.cancel(handle) }
                host.ready = true
                host.required = max(.zero, handle.earliest - asked)
                earliest = max(earliest, handle.earliest)
            case .refused(let reasons): host.reasons = reasons.isEmpty ? [.noReason(name)] : reasons
            case nil: host.reasons = [.noAnswer(name, limit)]
            }
            hosts.append(host)
        }
        return report(of: plan, hosts, at: plan.instant ?? earliest, notes: plan.notes)
    }

    private func report(
        of plan: OperationPlan,
        _ hosts: [RehearsalReport.Host],
        at instant: HostInstant,
        notes: [String]
    ) -> RehearsalReport {
        RehearsalReport(
            simulation: plan.record.simulation,
            kind: plan.record.kind,
            checkpoint: plan.record.checkpoint,
            deadline: instant,
            hosts: hosts,
            notes: notes
        )
    }
}
