import HypervisorAPI

extension ControlInstance {
    /// What comes out of a serial port of a running machine, on whichever host it is. Goes on when the simulation is suspended and resumed,
    /// and when its host is lost and found; ends with the task that reads it, and with the simulation. Nothing is read ahead of that task.
    /// - Parameters:
    ///   - number: nil: the first that is no link.
    ///   - offset: of all that ever came out of it, the end of what was seen; nil: nothing was, and of what is there the last is told.
    /// - Throws: `simulation-not-found`, `machine-not-found`, `machine-not-running`, `serial-missing`, `host-elsewhere`, or why the
    ///   machine's host cannot be asked.
    public func followSerial(
        _ number: Int?,
        of machine: String,
        in simulation: String,
        from offset: UInt64?
    ) async throws(ControlError) -> AsyncStream<SerialNews> {
        let (hypervisor, port) = try await serialPort(number, of: machine, in: simulation)
        let follower = SerialFollower(port, on: hypervisor, from: offset) { await self.whereabouts(of: port) }
        return AsyncStream { await follower.next() }
    }

    /// Types something into a serial port of a running machine; returns when QEMU has read all of it.
    /// - Throws: also `serial-busy`, `serial-unusable`; some of it may have been typed then.
    public func writeSerial(
        _ bytes: [UInt8],
        to number: Int?,
        of machine: String,
        in simulation: String
    ) async throws(ControlError) {
        let (hypervisor, port) = try await serialPort(number, of: machine, in: simulation)
        do throws(HypervisorError) {
            try await hypervisor.writeSerial(bytes, to: port)
        } catch {
            throw ControlError(error.reasons, exitCode: 3)
        }
    }

    private func serialPort(
        _ number: Int?,
        of machine: String,
        in simulation: String
    ) async throws(ControlError) -> (any Hypervisor, SerialPlace) {
        let (hypervisor, status) = try await machineStatus(machine, in: simulation)
        guard let port = status.serialPorts.first(where: { number == nil || $0.number == number }) else {
            let which = number.map { "serial port \($0)" } ?? "serial port of its own"
            throw ControlError(
                code: "serial-missing",
                message:
                    "\(simulation)/\(machine) has no \(which): an adopted machine's, and a link's, are not ours to use",
                exitCode: 3
            )
        }
        return (hypervisor, SerialPlace(simulation: simulation, machine: machine, number: port.number))
    }

    /// A machine and who has it. Only hosts that may have it are asked: others may be slow to say that they cannot be reached.
    private func machineStatus(
        _ machine: String,
        in simulation: String
    ) async throws(ControlError) -> (any Hypervisor, MachineStatus) {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        let known = try await record(ofSimulation: simulation)
        // One that an operation just brings here runs before it is decided that it does.
        let records = [known, unfinished.first { $0.simulation == simulation }?.target].compactMap(\.self)
        guard !records.isEmpty else { throw Self.notFound(simulation: simulation) }
        let hosts = Set(records.flatMap(\.machines).filter { $0.name == machine }.map(\.host))
        guard !hosts.isEmpty || records.contains(where: { $0.spec.machines.contains { $0.name == machine } }) else {
            throw ControlError(code: "machine-not-found", message: "\(simulation) has no machine '\(machine)'")
        }
        let elsewhere = try await peers().hosts.intersection(hosts)
        guard elsewhere.isEmpty else { throw ControlError([.elsewhere(simulation, elsewhere)], exitCode: 3) }
        var reasons: [Reason] = []
        for hypervisor in hypervisors where hosts.contains(hypervisor.host) {
            do throws(ControlError) {
                let statuses = try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.machines(of: simulation)
                }
                if let status = statuses.first(where: { $0.name == machine }) { return (hypervisor, status) }
            } catch {
                reasons += error.reasons
            }
        }
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
        throw ControlError(
            code: "machine-not-running",
            message: "\(simulation)/\(machine) does not run: its console is there again when it does",
            exitCode: 3
        )
    }

    private func whereabouts(of port: SerialPlace) async -> SerialFollower.Whereabouts {
        let found: SimulationRecord?
        do throws(ControlError) {
            found = try await record(ofSimulation: port.simulation)
        } catch {
            // Of a database that does not answer now nothing is concluded.
            return .unknown
        }
        guard let record = found else { return .nowhere }
        guard let host = record.machines.first(where: { $0.name == port.machine })?.host,
            let hypervisor = hypervisor(of: host)
        else { return .unknown }
        return .on(hypervisor)
    }
}
