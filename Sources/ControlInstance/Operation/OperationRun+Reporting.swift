import HostClock
import HypervisorAPI
import Time

extension OperationRun {
    /// What the hypervisors have reported, in the words of the outside contract.
    func report(_ outcome: OperationOutcome, _ reasons: [Reason]) -> OperationReport {
        var report = record.report(outcome, reasons: reasons)
        report.kept = kept
        report.policy = plan.policy
        report.scope = plan.scope
        report.machines = inOrder(
            reports.flatMap { hypervisor in
                hypervisor.machines.map { machine in result(of: machine, on: hypervisor.host) }
            },
            \.name
        )
        let stamps = reports.flatMap(\.machines).compactMap(\.happenedAt)
        if let first = stamps.min(), let last = stamps.max() { report.spread = last - first }
        report.clockErrorBound = clockErrorBound
        report.stages = live.hostStages
        report.notes = plan.notes + reports.flatMap(\.notes)
        return report
    }

    func manifest(at place: CheckpointSet.Place) async -> CheckpointManifest {
        CheckpointManifest(
            tool: CheckpointSet.tool,
            id: sortableID(at: control.clock.now()),
            simulation: record.simulation,
            name: place.name,
            operation: record.id,
            created: control.clock.now(),
            instant: record.state.instant ?? control.clock.now(),
            parent: plan.parent,
            spec: record.target.spec,
            machines: inOrder(reports.flatMap(\.machines).compactMap(\.saved), \.name),
            links: reports.flatMap(\.links),
            triggers: await control.savedTriggers(record, reports)
        )
    }

    /// As the plan has the machines, whichever host reported first.
    private func inOrder<Value>(_ values: [Value], _ name: (Value) -> String) -> [Value] {
        let order = Dictionary(zip(plan.parts.flatMap(\.machines), 0...), uniquingKeysWith: { first, _ in first })
        return values.map { (order[name($0)] ?? order.count, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Two hosts' clocks may be off ours in opposite directions. One host of which nobody knows makes all of it unknown. Our own is off
    /// itself by nothing; alone it tells how far it is off true time.
    private var clockErrorBound: Span? {
        let others = reports.filter { $0.host != control.ownHost }
        let counted = others.isEmpty ? reports : others
        let bounds = counted.compactMap(\.clockErrorBound).sorted(by: >)
        guard let worst = bounds.first, bounds.count == counted.count else { return nil }
        return bounds.count > 1 ? worst + bounds[1] : worst
    }

    private func result(of machine: MachineReport, on host: String) -> OperationReport.MachineResult {
        OperationReport.MachineResult(
            name: machine.name,
            host: host,
            stoppedAt: record.kind.saves ? machine.happenedAt : nil,
            resumedAt: record.kind.saves ? machine.continuedAt : machine.happenedAt,
            pause: machine.happenedAt.flatMap { stopped in machine.continuedAt.map { $0 - stopped } },
            savedWhile: machine.savedWhile,
            sentAt: machine.sentAt,
            lateness: machine.lateness,
            clock: machine.clock,
            clockBefore: record.kind == .resume ? machine.clockBefore : nil,
            clockAfter: record.kind == .resume ? machine.clock : nil,
            ram: machine.ramWay.map {
                OperationReport.RAM(way: $0, bytes: machine.ramBytes, isView: machine.ramIsView ? true : nil)
            },
            stages: machine.stages.map { OperationReport.Stage($0) },
            notes: machine.notes
        )
    }
}

extension OperationRecord {
    /// What is known without any hypervisor.
    func report(_ outcome: OperationOutcome, reasons: [Reason] = []) -> OperationReport {
        OperationReport(
            operation: id,
            kind: kind,
            simulation: simulation,
            checkpoint: checkpoint,
            trigger: trigger,
            origin: kind == .resume && checkpoint == nil ? target.origin : nil,
            outcome: outcome,
            reasons: reasons,
            deadline: state.instant,
            started: started,
            finished: finished
        )
    }
}
