import HypervisorAPI
import SerialText
import Time

/// The triggers of one run of a simulation, as a value: what machines do and what passes goes in, what is due comes out.
///
/// Each is armed, due, begun, and then done or failed; there is no way back but from begun to due, for one that has to wait after all.
struct TriggerBook: Sendable {
    let simulation: String
    let specs: [TriggerSpec]
    private(set) var states: [TriggerState]
    private(set) var clock: RunClock
    /// That serial triggers listen to.
    private let ports: [Int?]
    /// What was said, and was not looked at yet or has no end, by trigger.
    private var transcripts: [Int: Transcript] = [:]

    init(_ spec: SimulationSpec, _ record: TriggerRecord) {
        simulation = spec.name
        let triggers = spec.triggers ?? []
        specs = triggers
        states = triggers.indices.map { $0 < record.states.count ? record.states[$0] : TriggerState() }
        clock = record.clock
        ports = triggers.map { trigger in
            spec.machines.first { $0.name == trigger.machine }.flatMap { trigger.port(of: $0) }
        }
    }

    var record: TriggerRecord { TriggerRecord(simulation: simulation, states: states, clock: clock) }

    // MARK: - What happens

    mutating func take(_ sign: MachineSign) {
        for (index, trigger) in specs.enumerated()
        where states[index].phase == .armed && trigger.machine == sign.machine {
            switch (trigger.condition, sign.what) {
            case (.event(_, let wanted), .befell(let event)) where wanted == event: meet(index, at: sign.at)
            case (.serial(_, _, let pattern), .said(let bytes, let port)) where ports[index] == port:
                listen(index, bytes, for: pattern, at: sign.at)
            default: break
            }
        }
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

    /// Its condition cannot be met.
    mutating func rule(out index: Int, _ problem: String) {
        guard states[index].phase == .armed else { return }
        states[index] = TriggerState(.failed, problem: problem)
        transcripts[index] = nil
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

    private mutating func listen(_ index: Int, _ bytes: [UInt8], for pattern: String, at instant: HostInstant) {
        var transcript = transcripts.removeValue(forKey: index) ?? Transcript()
        transcript.take(bytes)
        do {
            if try transcript.find(pattern) != nil { return meet(index, at: instant) }
        } catch {
            // A manifest has none such; an archive may.
            return rule(out: index, "its pattern is no regular expression: \(error)")
        }
        transcript.forget()
        transcripts[index] = transcript
    }

    private mutating func meet(_ index: Int, at instant: HostInstant) {
        guard states[index].phase == .armed else { return }
        states[index] = TriggerState(.due, met: instant)
        transcripts[index] = nil
    }
}
