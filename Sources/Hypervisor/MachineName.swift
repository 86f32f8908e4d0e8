/// Which machine of this host: its simulation's name and its own.
struct MachineName: Hashable, Comparable, Sendable, CustomStringConvertible {
    var simulation: String
    var machine: String

    init(simulation: String, machine: String) {
        self.simulation = simulation
        self.machine = machine
    }

    init(_ record: MachineRecord) {
        self.init(simulation: record.simulation, machine: record.name)
    }

    static func < (left: MachineName, right: MachineName) -> Bool {
        (left.simulation, left.machine) < (right.simulation, right.machine)
    }

    var description: String { "\(simulation)/\(machine)" }
}
