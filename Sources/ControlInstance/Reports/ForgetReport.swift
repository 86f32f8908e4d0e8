/// The result of `forget`.
public struct ForgetReport: Codable, Hashable, Sendable {
    public var simulation: String
    /// Nothing was forgotten: this is what would be.
    public var dryRun: Bool
    /// Those that stay, oldest first.
    public var checkpoints: [String]

    public init(simulation: String, dryRun: Bool, checkpoints: [String]) {
        self.simulation = simulation
        self.dryRun = dryRun
        self.checkpoints = checkpoints
    }
}
