/// A serial port of a machine, by its names: where its socket and its log are is its host's business.
public struct SerialPlace: Codable, Hashable, Sendable {
    /// What is typed at once, in bytes.
    public static let mostTyped = 4 << 20

    public var simulation: String
    public var machine: String
    public var number: Int

    public init(simulation: String, machine: String, number: Int) {
        self.simulation = simulation
        self.machine = machine
        self.number = number
    }
}
