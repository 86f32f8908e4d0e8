import ControlInstance
import Glibc
import HypervisorAPI

/// What a command that is run beside a simulation is told of it: environment variables.
struct RunEnvironment {
    private let detail: SimulationDetail
    private let session: Session
    /// Of this host: what lies on another one is of no use here. nil: all of it does.
    private let host: String?

    init(_ detail: SimulationDetail, _ session: Session, host: String?) {
        self.detail = detail
        self.session = session
        self.host = host
    }

    /// Those that this process has, and the simulation's.
    var variables: [String: String] {
        var variables = session.environment.filter { !$0.key.hasPrefix("FERMATA_MACHINE") }
        variables["FERMATA_SIMULATION"] = detail.summary.simulation
        variables["FERMATA_HOME"] = session.home.path
        // Only what the user named: by the state folder alone, verbs start a daemon where none runs.
        if let control = session.global.control { variables["FERMATA_CONTROL"] = control }
        if let file = session.global.controlAuthorities { variables["FERMATA_CONTROL_CA"] = file }
        variables["FERMATA_MACHINES"] = detail.machines.map(\.name).sorted().joined(separator: " ")
        for machine in detail.machines { variables.merge(self.variables(of: machine)) { $1 } }
        return variables
    }

    private func variables(of machine: MachineStatus) -> [String: String] {
        let prefix = "FERMATA_MACHINE_\(machine.name.uppercased().replacing("-", with: "_"))"
        var variables = ["\(prefix)_HOST": machine.host]
        guard machine.host == host else { return variables }
        if let process = machine.processID { variables["\(prefix)_PID"] = "\(process)" }
        for port in machine.serialPorts {
            variables["\(prefix)_SERIAL\(port.number)"] = port.socket
            variables["\(prefix)_SERIAL\(port.number)_LOG"] = port.log
        }
        return variables
    }
}
