public import HypervisorAPI

extension ControlInstance {
    /// A serial port of a running machine of its own host.
    /// - Parameter number: nil: the first that is no link.
    /// - Throws: `simulation-not-found`, `machine-not-found`, `machine-not-running`, `serial-elsewhere`, `serial-missing`.
    public func serialPort(
        _ number: Int?,
        of machine: String,
        in simulation: String
    ) async throws(ControlError) -> SerialPort {
        let detail = try await self.simulation(named: simulation)
        guard let status = detail.machines.first(where: { $0.name == machine }) else {
            guard detail.spec.machines.contains(where: { $0.name == machine }) else {
                throw ControlError(code: "machine-not-found", message: "\(simulation) has no machine '\(machine)'")
            }
            throw ControlError(
                code: "machine-not-running",
                message: "\(simulation)/\(machine) does not run: its console is there again when it does",
                exitCode: 3
            )
        }
        // What another host tells of its files is not looked for among this host's.
        guard status.host == ownHost else {
            throw ControlError(
                code: "serial-elsewhere",
                message:
                    "\(simulation)/\(machine) runs on \(status.host): its serial sockets are there ('fermata show')",
                exitCode: 3
            )
        }
        guard let port = status.serialPorts.first(where: { number == nil || $0.number == number }) else {
            let which = number.map { "serial port \($0)" } ?? "serial port of its own"
            throw ControlError(
                code: "serial-missing",
                message:
                    "\(simulation)/\(machine) has no \(which): an adopted machine's, and a link's, are not ours to use",
                exitCode: 3
            )
        }
        return port
    }
}
