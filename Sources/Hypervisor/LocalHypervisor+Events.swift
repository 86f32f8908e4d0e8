public import HypervisorAPI

extension LocalHypervisor {
    public func readEvents(
        of machine: MachinePlace,
        after mark: EventMark?
    ) async throws(HypervisorError) -> EventChunk {
        guard let machine = machines[MachineName(simulation: machine.simulation, machine: machine.machine)] else {
            return EventChunk(end: mark ?? EventMark(log: "", number: 0), events: [], runs: false, serialBegins: [:])
        }
        return await MachineWatch(machine: machine).next(after: mark)
    }
}
