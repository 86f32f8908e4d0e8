public import HypervisorAPI
import Time

extension LocalHypervisor {
    public func machines(of simulation: String?) async -> [MachineStatus] {
        var statuses: [MachineStatus] = []
        for machine in allMachines(of: simulation) {
            statuses.append(await machine.status(heldBy: holder(of: machine.name.simulation)))
        }
        return statuses
    }

    public func end(_ simulation: String) async throws(HypervisorError) {
        let unsettled = try await endUnsettled(simulation) { [self] () async throws(HypervisorError) in
            try await endAll(of: simulation)
        }
        if unsettled { return }
        try await holding(simulation, for: "down") { () async throws(HypervisorError) in
            try await endAll(of: simulation)
        }
    }

    private func endAll(of simulation: String) async throws(HypervisorError) {
        let machines = allMachines(of: simulation)
        _ = try await machines.gather { (machine) async throws(HypervisorError) in
            if machine.record.adopted {
                await machine.letGo()
                try RunFolder(path: machine.record.folder).remove(self.surroundings.ram)
            } else {
                try await machine.end()
            }
        }
        for machine in machines { remove(machine.name) }
        try await surroundings.releaseResources(of: simulation)
    }

    public func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        // What changes nothing keeps no operation waiting; what an operation is at is not disturbed.
        guard pausing else {
            try requireFree(simulation)
            return try await clocks(of: simulation, pausing: false)
        }
        return try await holding(simulation, for: "clock") { () async throws(HypervisorError) in
            try await clocks(of: simulation, pausing: true)
        }
    }

    private func clocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        try await allMachines(of: simulation).gather { (machine) async throws(HypervisorError) in
            do throws(HypervisorError) {
                return try await machine.readClocks(pausing: pausing)
            } catch {
                throw error.of(machine.name.machine)
            }
        }
    }

    public func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus {
        try await holding(order.simulation, for: "adopt") { () async throws(HypervisorError) in
            let name = MachineName(simulation: order.simulation, machine: order.machine)
            if let present = allMachines(of: order.simulation).first(where: { $0.name == name }) {
                throw HypervisorError(
                    code: "machine-exists",
                    machine: order.machine,
                    message: "there is one of that name already, process \(present.record.identity.pid)"
                )
            }
            // Makes the folder that the machine's is in, too.
            _ = try surroundings.resources(of: order.simulation)
            let record = try await Adopter().adopt(order, folder: surroundings.runFolder(of: name))
            let machine = LifetimeManager(record: record, surroundings: surroundings)
            add(machine, as: name)
            return await machine.status(heldBy: nil)
        }
    }
}
