import HypervisorAPI
import Time

/// The triggers of one run of a simulation, as a value: what machines do and what passes goes in, what is due comes out.
///
/// Each is armed, due, begun, and then done or failed; there is no way back but from begun to due, for one that has to wait after all.
struct TriggerBook: Sendable {
    let simulation: String
    let specs: [TriggerSpec]
    private(set) var states: [TriggerState]
    private(set) var clock: RunClock
    private let keeper: String?
    /// That serial triggers listen to.
    private let ports: [Int?]

    init(_ spec: SimulationSpec, _ record: TriggerRecord) {
        simulation = spec.name
        let triggers = spec.triggers ?? []
        specs = triggers
        states = triggers.indices.map { $0 < record.states.count ? record.states[$0] : TriggerState() }
        clock = record.clock
        keeper = record.keeper
        ports = triggers.map { trigger in
            spec.machines.first { $0.name == trigger.machine }.flatMap { trigger.port(of: $0) }
        }
    }

    var record: TriggerRecord {
        TriggerRecord(simulation: simulation, states: states, clock: clock, keeper: keeper)
    }

    // MARK: - What happens

    /// The patterns, by trigger, that are looked for in what was said; what is found is told to ``take(_:at:)``.
    func patterns(in sign: MachineSign) -> [Int: String] {
        guard case .said(_, let port) = sign.what else { return [:] }
        return armed(about: sign).reduce(into: [:]) { found, index in
            guard case .serial(_, _, let pattern) = specs[index].condition, ports[index] == port else { return }
            found[index] = pattern
        }
    }

    mutating func take(_ findings: [SerialListener.Finding], at instant: HostInstant) {
        for finding in findings {
            if let problem = finding.problem {
                rule(out: finding.index, problem)
            } else {
                meet(finding.index, at: instant)
            }
        }
    }

    /// - Parameter sign: no more than an event; of what is said, ``patterns(in:)``.
    mutating func take(_ sign: MachineSign) {
        guard case .befell(let event) = sign.what else { return }
        for index in armed(about: sign) {
            guard case .event(_, let wanted) = specs[index].condition, wanted == event else { continue }
            meet(index, at: sign.at)
        }
    }

    /// Whether a trigger waits for what a machine says at a port, or, nil, for what befalls it.
    func waits(for machine: String, port: Int?) -> Bool {
        specs.indices.contains { index in
            guard states[index].phase == .armed, specs[index].machine == machine else { return false }
            if case .serial = specs[index].condition { return port != nil && ports[index] == port }
            return port == nil
        }
    }

    /// Machines that triggers look at, and their ports that they listen to.
    var lookedAt: [String: Set<Int>] {
        specs.indices.reduce(into: [:]) { found, index in
            guard let machine = specs[index].machine, states[index].phase == .armed else { return }
            found[machine, default: []].formUnion([ports[index]].compactMap(\.self))
        }
    }

    private func armed(about sign: MachineSign) -> [Int] {
        specs.indices.filter { states[$0].phase == .armed && specs[$0].machine == sign.machine }
    }

    /// Guests have run until now.
    mutating func pass(to now: HostInstant) {
        for (index, trigger) in specs.enumerated() {
            guard case .guest(let span) = trigger.condition, clock.reading(at: now) >= span else { continue }
            meet(index, at: now)
        }
    }

    /// Until the next of those that wait for time to pass may be met; nil: none waits.
    func rest(at now: HostInstant) -> Span? {
        zip(specs, states).compactMap { trigger, state in
            guard case .guest(let span) = trigger.condition, state.phase == .armed else { return nil }
            return max(.zero, span - clock.reading(at: now))
        }.min()
    }

    mutating func pause(from stop: HostInstant, to next: HostInstant) { clock.pause(from: stop, to: next) }

    // MARK: - What is done

    var due: [Int] { states.indices.filter { states[$0].phase == .due } }

    /// - Parameter operation: the one that is about to begin; nil: none.
    mutating func begin(_ index: Int, _ operation: OperationID?) {
        guard states[index].phase == .due else { return }
        states[index].phase = .begun
        states[index].operation = operation
    }

    /// It could not begin yet.
    mutating func postpone(_ index: Int) {
        guard states[index].phase == .begun else { return }
        states[index].phase = .due
        states[index].operation = nil
    }

    /// - Parameter problem: nil: it was done.
    mutating func end(_ index: Int, _ problem: String?) {
        guard [.due, .begun].contains(states[index].phase) else { return }
        states[index].phase = problem == nil ? .done : .failed
        states[index].problem = problem
    }

    /// As ``end(_:_:)``, of the trigger that began an operation.
    mutating func end(_ operation: OperationID, _ problem: String?) {
        for index in states.indices where states[index].operation == operation { end(index, problem) }
    }

    /// As ``postpone(_:)``, of the trigger that began an operation.
    mutating func postpone(_ operation: OperationID) {
        for index in states.indices where states[index].operation == operation { postpone(index) }
    }

    /// Its condition cannot be met.
    mutating func rule(out index: Int, _ problem: String) {
        guard states[index].phase == .armed else { return }
        states[index] = TriggerState(.failed, problem: problem)
    }

    // MARK: - What is kept

    /// What a checkpoint keeps.
    /// - Parameters:
    ///   - stop: when the machines stopped.
    ///   - next: when they went on; what was met after that is not in the checkpoint. nil: they did not.
    func saved(at stop: HostInstant, goingOn next: HostInstant?) -> SavedTriggers {
        let kept = states.map { state -> TriggerState in
            if let next, let met = state.met, met > next { return TriggerState() }
            // Whatever goes on from there has it behind it.
            return state.phase == .begun ? TriggerState(.done, met: state.met, operation: state.operation) : state
        }
        return SavedTriggers(states: kept, ran: clock.reading(at: stop))
    }

    // MARK: -

    private mutating func meet(_ index: Int, at instant: HostInstant) {
        guard states[index].phase == .armed else { return }
        states[index] = TriggerState(.due, met: instant)
    }
}
