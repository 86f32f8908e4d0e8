import FoundationEssentials
public import Testing

/// Gives each test, and each of its arguments, a simulation of its own: ``Simulation/current``.
///
/// Of a suite, it is for all tests below it. Where several apply, the innermost counts.
public struct SimulationTrait: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }

    private let id = UUID()
    private let lab: Lab
    private let clock: ClockPolicy?
    private let scope: ClockPolicy.Scope?
    private let fermata: Fermata

    fileprivate init(_ lab: Lab, _ clock: ClockPolicy?, _ scope: ClockPolicy.Scope?, _ fermata: Fermata) {
        self.lab = lab
        self.clock = clock
        self.scope = scope
        self.fermata = fermata
    }

    /// Starts a simulation, runs the test, ends it: as ``withSimulation(_:clock:scope:fermata:_:)``.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        let innermost = test.traits.last { $0 is SimulationTrait } as? SimulationTrait
        guard innermost?.id == id else { return try await function() }
        try await withSimulation(lab, clock: clock, scope: scope, fermata: fermata) { _ in try await function() }
    }
}

extension Trait where Self == SimulationTrait {
    /// A simulation for each test, and each of its arguments: ``Simulation/current``.
    /// - Parameters:
    ///   - lab: what it begins with.
    ///   - clock: what its clocks begin with; of checkpoints only.
    ///   - scope: which clocks that moves.
    ///   - fermata: where it runs.
    public static func simulation(
        _ lab: Lab,
        clock: ClockPolicy? = nil,
        scope: ClockPolicy.Scope? = nil,
        fermata: Fermata = .standard
    ) -> SimulationTrait {
        SimulationTrait(lab, clock, scope, fermata)
    }
}
