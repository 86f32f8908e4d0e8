public import HypervisorAPI

/// Let new simulations go on from a checkpoint of an old one, which they leave as it is.
public struct CloneRequest: Codable, Hashable, Sendable {
    /// As many as one request may ask for.
    public static let mostClones = 100

    /// From which checkpoint, which has to be named, when, and with which clocks. Its operation is the first clone's; the others' are the
    /// siblings of that.
    public var source: ResumeRequest
    /// Of the clone; of several, what their names begin with.
    public var name: String
    /// nil: one, of exactly that name; else `<name>-1`, `<name>-2`…
    public var count: Int?
    /// Network cards get other addresses than those that the guests know.
    public var newMACs: Bool

    public init(_ source: ResumeRequest, as name: String, count: Int? = nil, newMACs: Bool = false) {
        self.source = source
        self.name = name
        self.count = count
        self.newMACs = newMACs
    }

    /// The names of all clones.
    /// - Throws: with exit code 2, when there are too few or too many, or one cannot be a simulation's name.
    func names() throws(ControlError) -> [String] {
        if let count, !(1...Self.mostClones).contains(count) {
            throw ControlError(
                code: "count-invalid",
                message: "\(count) clones cannot be made at once: from 1 to \(Self.mostClones)",
                exitCode: 2
            )
        }
        let names = count.map { count in (1...count).map { "\(name)-\($0)" } } ?? [name]
        // The last is the longest.
        if let last = names.last { try Name.check(last, of: "simulation") }
        return names
    }
}

/// A clone that is under way.
public struct CloneStarted: Codable, Hashable, Sendable {
    public var simulation: String
    public var operation: OperationID

    public init(simulation: String, operation: OperationID) {
        self.simulation = simulation
        self.operation = operation
    }
}
