/// A checkpoint, written `SIM@NAME`.
public struct Checkpoint: Hashable, Sendable, CustomStringConvertible {
    public let simulation: String
    public let name: String

    init(simulation: String, name: String) {
        self.simulation = simulation
        self.name = name
    }

    /// - Parameter text: `SIM@NAME`.
    /// - Throws: `usage`.
    public init(_ text: String) throws(FermataError) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw FermataError(code: "usage", exitCode: 2, "'\(text)' is no checkpoint: write SIM@NAME")
        }
        self.init(simulation: String(parts[0]), name: String(parts[1]))
    }

    public var description: String { "\(simulation)@\(name)" }
}
