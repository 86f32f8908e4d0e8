public import HypervisorAPI

extension LocalHypervisor {
    public func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        let name = MachineName(simulation: port.simulation, machine: port.machine)
        let log = SerialLog(path: "\(surroundings.logFolder(of: name))/serial\(port.number).log")
        let (end, bytes) = await log.next(from: offset)
        return SerialChunk(end: end, bytes: bytes, runs: machines[name]?.isAlive ?? false)
    }

    public func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) {
        let name = MachineName(simulation: port.simulation, machine: port.machine)
        guard let machine = machines[name], machine.isAlive else {
            throw HypervisorError(
                code: "machine-not-running",
                machine: port.machine,
                message: "it does not run: its console is there again when it does"
            )
        }
        let record = machine.record
        let socket = record.serialSockets.first { $0.hasSuffix("/serial\(port.number).sock") }
        // An adopted machine's sockets are its owner's, whatever they are called.
        guard !record.adopted, let socket else {
            throw HypervisorError(
                code: "serial-missing",
                machine: port.machine,
                message: "it has no serial port \(port.number) that can be typed into"
            )
        }
        if !bytes.isEmpty { try await SerialInput.send(bytes, to: socket, of: port.machine) }
    }
}
