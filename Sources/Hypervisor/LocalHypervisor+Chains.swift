import HypervisorAPI
import Time

extension LocalHypervisor {
    /// For disks whose layers have become far too many, when nobody named the instant.
    private static let chainPatience = Span.seconds(60)

    /// To be called while no operation can begin: the next one calls off what is under way.
    func shortenChains(of simulation: String) async {
        for machine in allMachines(of: simulation) { await machine.shortenChains() }
    }

    /// Nothing works on the machines' layers while they are saved.
    func leaveChains(_ order: Order) async {
        let patience = order.instant == nil ? Self.chainPatience : .zero
        let machines = allMachines(of: order.simulation).filter { order.machines.contains($0.name.machine) }
        await withDiscardingTaskGroup { group in
            for machine in machines { group.addTask { await machine.leaveChains(patience: patience) } }
        }
    }
}
