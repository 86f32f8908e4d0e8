import HypervisorAPI
import Time

/// What the state database keeps of a simulation's triggers: of its present run, or of its last one.
public struct TriggerRecord: Codable, Hashable, Sendable {
    public var simulation: String
    /// In the order of the spec's triggers.
    public var states: [TriggerState]
    public var clock: RunClock
    /// The control instance that looks after them, by its own host; nil: a release wrote this that did not tell.
    public var keeper: String?

    init(simulation: String, states: [TriggerState], clock: RunClock, keeper: String? = nil) {
        self.simulation = simulation
        self.states = states
        self.clock = clock
        self.keeper = keeper
    }

    /// As a run begins.
    /// - Parameter saved: of the checkpoint that it goes on from; nil: of a start.
    init(of spec: SimulationSpec, from saved: SavedTriggers?, at instant: HostInstant, keeper: String? = nil) {
        simulation = spec.name
        self.keeper = keeper
        let count = spec.triggers?.count ?? 0
        states = Array(repeating: TriggerState(), count: count)
        clock = RunClock(since: instant)
        guard let saved else { return }
        // The archive of an import may say anything.
        clock.ran = max(.zero, saved.ran)
        if saved.states.count == count { states = saved.states }
    }
}
