public import HypervisorAPI

extension LocalHypervisor: MachineWatcher {
    public nonisolated func watch(
        _ machines: [String],
        of simulation: String,
        _ tell: @escaping @Sendable (MachineSign) async -> Void
    ) async {
        let watched = await allMachines(of: simulation).filter { machines.contains($0.name.machine) }
        await withDiscardingTaskGroup { group in
            for machine in watched {
                let watch = MachineWatch(machine: machine, tell: tell)
                group.addTask { await watch.followEvents() }
                for port in machine.record.serialLogs { group.addTask { await watch.follow(port) } }
            }
        }
    }
}
