import HypervisorAPI
import Time

/// Between a host's clock and ours. Whatever a host says is in its own time, and what it is told has to be.
struct HostTime: Hashable, Sendable {
    /// Theirs − ours, as it is reckoned with: zero when both clocks are disciplined, which is better than what can be measured.
    var offset: Span
    /// How far an instant of theirs may be from the same instant of ours.
    var bound: Span
    /// Of the quickest message and its answer.
    var roundTrip: Span

    func theirs(_ instant: HostInstant) -> HostInstant { instant + offset }

    func ours(_ instant: HostInstant) -> HostInstant { instant - offset }

    func theirs(_ order: Order) -> Order {
        switch order {
        case .start(var order):
            order.instant = order.instant.map(theirs)
            return .start(order)
        case .suspend(var order):
            order.instant = order.instant.map(theirs)
            return .suspend(order)
        case .checkpoint(var order):
            order.instant = order.instant.map(theirs)
            return .checkpoint(order)
        case .resume(var order):
            order.instant = order.instant.map(theirs)
            return .resume(order)
        }
    }

    func ours(_ handle: Handle) -> Handle {
        var handle = handle
        handle.instant = handle.instant.map(ours)
        handle.earliest = ours(handle.earliest)
        handle.expires = ours(handle.expires)
        return handle
    }

    /// Of what was saved, the times stay the host's own: its clock policies reckon with them.
    func ours(_ report: HypervisorReport) -> HypervisorReport {
        var report = report
        report.instant = ours(report.instant)
        report.machines = report.machines.map { machine in
            var machine = machine
            machine.sentAt = machine.sentAt.map(ours)
            machine.happenedAt = machine.happenedAt.map(ours)
            machine.continuedAt = machine.continuedAt.map(ours)
            machine.stages = machine.stages.map(ours)
            return machine
        }
        report.clockErrorBound = bound
        return report
    }

    func ours(_ stage: Stage) -> Stage {
        var stage = stage
        stage.startedAt = ours(stage.startedAt)
        return stage
    }
}
