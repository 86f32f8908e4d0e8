/// A machine, by its names.
public struct MachinePlace: Codable, Hashable, Sendable {
    public var simulation: String
    public var machine: String

    public init(simulation: String, machine: String) {
        self.simulation = simulation
        self.machine = machine
    }
}
