import HypervisorAPI
import Logging
import Synchronization

/// How the states of triggers change, and who is told.
extension ControlInstance {
    /// Whether a trigger has begun what it does.
    enum Beginning: Hashable, Sendable {
        case begun
        /// It may be tried again.
        case notRecorded
        /// It is not to be done any more.
        case over
    }

    /// Changes the states of triggers, tells what is different, and records it.
    func change(_ watch: TriggerWatch, _ body: (inout TriggerBook) -> Void) async {
        let clock = watch.book.clock
        let changed = watch.change(body)
        guard !changed.isEmpty || watch.book.clock != clock else { return }
        tell(changed, of: watch)
        await watch.save()
    }

    /// To be called before what a trigger does is begun, which a daemon that is started anew has to know.
    func begin(_ index: Int, _ operation: OperationID?, _ watch: TriggerWatch) async -> Beginning {
        guard let changed = await watch.record({ $0.begin(index, operation) }) else {
            return watch.isOver ? .over : .notRecorded
        }
        tell(changed, of: watch)
        return changed.contains { $0.0 == index } ? .begun : .over
    }

    func tell(_ changed: [(Int, TriggerState)], of watch: TriggerWatch) {
        let book = watch.book
        for (index, trigger) in changed {
            let report = TriggerReport(book.specs[index], trigger)
            // Whoever hears that it is over may want its simulation.
            let isLater = state.withLock { state in
                guard let operation = trigger.operation, state.live[operation] != nil else { return false }
                guard [.done, .failed].contains(trigger.phase) else { return false }
                state.untold[operation, default: []].append((book.simulation, report))
                return true
            }
            if !isLater { tell(report, of: book.simulation) }
        }
    }

    /// An operation is not under way any more.
    func endTelling(_ operation: OperationID) {
        let untold = state.withLock { state in
            state.live.removeValue(forKey: operation)
            return state.untold.removeValue(forKey: operation) ?? []
        }
        for (simulation, report) in untold { tell(report, of: simulation) }
    }

    private func tell(_ report: TriggerReport, of simulation: String) {
        changes.tell(.trigger(simulation, report))
        logger.log(
            level: report.phase == .failed ? .warning : .info,
            "trigger",
            metadata: [
                "simulation": "\(simulation)", "when": "\(report.when)", "what": "\(report.what)",
                "phase": "\(report.phase.rawValue)", "operation": "\(report.operation?.text ?? "-")",
                "problem": "\(report.problem ?? "-")",
            ]
        )
    }
}
