import Testing

/// Starts a simulation, does something with it, and ends it, whatever comes of that.
///
/// When `body` throws, or the test that it is in has recorded an issue in it, the simulation is suspended as it is then, and kept; a warning
/// says how to go on from there. ``Simulation/current`` is the simulation meanwhile.
/// - Parameters:
///   - lab: what it begins with.
///   - clock: what its clocks begin with; of checkpoints only.
///   - scope: which clocks that moves.
///   - fermata: where it runs.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws; when it does not come up, ``FermataError`` as of ``Fermata/clone(_:name:clock:scope:)``.
@discardableResult
public func withSimulation<Value: Sendable>(
    _ lab: Lab,
    clock: ClockPolicy? = nil,
    scope: ClockPolicy.Scope? = nil,
    fermata: Fermata = .standard,
    _ body: @Sendable (Simulation) async throws -> Value
) async throws -> Value {
    try await fermata.inPlace {
        let simulation = try await lab.start(fermata, name: Test.current?.name, clock, scope)
        let outcome = await FailureWatch().run {
            try await Simulation.$active.withValue(simulation) { try await body(simulation) }
        }
        let test = outcome.hasFailed ? Test.current.map { $0.displayName ?? $0.name } ?? "what was done with it" : nil
        await fermata.finish(simulation, failedIn: test)
        return try outcome.result.get()
    }
}

extension Fermata {
    /// Whether this task has a place: what it starts beside is its own affair, and must not wait for others that do the same.
    @TaskLocal private static var hasPlace = false

    fileprivate func inPlace<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        if Self.hasPlace { return try await body() }
        try await places.take()
        defer { places.giveBack() }
        return try await Self.$hasPlace.withValue(true) { try await body() }
    }

    /// Ends it; what is left to say is told as warnings. It is done also when this task is cancelled, as at a test's time limit.
    /// - Parameter test: which failed with it, so that it is kept.
    func finish(_ simulation: Simulation, failedIn test: String?) async {
        await Task {
            if let test, !discardsFailed { await keep(simulation, test) }
            do throws(FermataError) {
                for reason in try await simulation.end() { Notice.warn("\(simulation): \(reason)") }
            } catch {
                Notice.warn("\(simulation) could not be ended: \(error)")
            }
        }.value
    }

    private func keep(_ simulation: Simulation, _ test: String) async {
        do throws(FermataError) {
            let saved = try await simulation.keepFailed(String("\(test) failed".prefix(200)))
            Notice.warn(
                """
                the lab is kept as it was when the test failed (it began with \(simulation.source)):
                  go on from there:  fermata resume \(saved)
                  remove it:         fermata rm \(saved)
                """
            )
        } catch {
            Notice.warn("the lab could not be kept as it was when the test failed: \(error)")
        }
    }
}
