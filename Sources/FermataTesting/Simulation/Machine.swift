import Synchronization

/// One QEMU of a simulation.
public final class Machine: Sendable, CustomStringConvertible {
    public let name: String
    let simulation: String
    let control: Control
    private let ports = Mutex<[Int: SerialPort]>([:])

    init(_ name: String, of simulation: String, _ control: Control) {
        self.name = name
        self.simulation = simulation
        self.control = control
    }

    /// `SIM/NAME`.
    public var description: String { "\(simulation)/\(name)" }

    /// Its first serial port.
    public var serial: SerialPort { serial(0) }

    /// A serial port. What was expected of it before stays behind it: it is the same object each time.
    /// - Parameter number: from 0, in the manifest's order.
    public func serial(_ number: Int) -> SerialPort {
        ports.withLock { ports in
            if let port = ports[number] { return port }
            let port = SerialPort(number, of: self)
            ports[number] = port
            return port
        }
    }

    /// What it is doing now.
    /// - Throws: `machine-missing` when it has no QEMU now, as while its simulation is suspended.
    public var status: SimulationStatus.Machine {
        get async throws(FermataError) {
            let status = try await SimulationStatus.read(simulation, control)
            if let machine = status.machines.first(where: { $0.name == name }) { return machine }
            let names = status.machines.map(\.name).sorted().joined(separator: ", ")
            throw FermataError(
                code: "machine-missing",
                "\(simulation) runs no machine '\(name)' now (it is \(status.state)); there are: \(names.isEmpty ? "none" : names)"
            )
        }
    }
}

extension SimulationStatus {
    static func read(_ simulation: String, _ control: Control) async throws(FermataError) -> SimulationStatus {
        let path = "/v1/simulations/\(simulation)"
        return try Control.decode(SimulationStatus.self, try await control.request("GET", path), "GET \(path)")
    }
}
