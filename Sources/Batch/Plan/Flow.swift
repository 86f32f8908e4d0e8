import Manifest

/// Goes through steps as they will be done, and tells what cannot be: nothing that runs yet, a checkpoint that nobody has made.
struct Flow {
    private enum State { case nothing, running, suspended, ended }

    private let reading: Reading
    private let labs: Labs
    private let isPreparing: Bool
    /// nil: there is nothing prepared.
    private let prepared: [String]??
    private var state = State.nothing
    /// Of what runs; nil: not known before it is asked for.
    private var machines: [String]?
    private var checkpoints: Set<String> = []
    /// Whether checkpoints were made that nobody named.
    private var hasUnnamed = false
    /// Behind a step that could not be read nobody knows what is.
    private var isUncertain = false

    init(_ reading: Reading, _ labs: Labs, isPreparing: Bool = false, prepared: Flow? = nil) {
        self.reading = reading
        self.labs = labs
        self.isPreparing = isPreparing
        self.prepared = prepared.map(\.machines)
    }

    /// - Parameter steps: nil for what could not be read.
    mutating func check(_ steps: [Step?]) {
        for step in steps {
            guard let step else {
                isUncertain = true
                continue
            }
            if let port = step.action.port { check(port) }
            check(step)
        }
        if isPreparing, state == .ended, let last = steps.last ?? nil {
            reading.report("what is prepared has ended here: nothing can begin with it", at: last.place)
        }
    }

    private mutating func check(_ step: Step) {
        switch step.action {
        case .up(let source, _): begin(with: source, step)
        case .waitForSerial, .waitForGuest, .expectClock, .send: _ = requireRunning(step)
        case .expectSerial, .execute: _ = requireSomething(step)
        case .checkpoint(let name):
            if requireRunning(step) { save(name, step) }
        case .suspend(let name, _):
            guard requireRunning(step) else { return }
            save(name, step)
            state = .suspended
        case .resume(let name, _, _):
            guard requireSomething(step) else { return }
            if state == .running, !isUncertain {
                reading.report("it runs here already: 'resume' comes after 'suspend'", at: step.place)
            }
            if let name { require(name, step) }
            state = .running
        case .rewind(let name, _, let keeping):
            guard requireSomething(step) else { return }
            require(name, step)
            if state == .running, case .checkpoint(let kept) = keeping { save(kept, step) }
            state = .running
        case .down:
            if requireSomething(step) { state = .ended }
        }
    }

    private mutating func begin(with source: Source, _ step: Step) {
        guard state == .nothing || isUncertain else {
            reading.report("it is up already: each combination has one simulation", at: step.place)
            return
        }
        state = .running
        switch source {
        case .lab(let path):
            switch labs.machines(of: path) {
            case .success(let names): machines = names
            case .failure(let error):
                let first = error.problems.first?.description ?? path
                let more = error.problems.count - 1
                reading.report(
                    "the lab cannot be used: \(first)" + (more > 0 ? " (and \(more) more)" : ""),
                    at: step.place
                )
            }
        case .checkpoint: break
        case .prepared:
            guard let prepared else {
                let why =
                    isPreparing
                    ? "this is where it is prepared" : "the batch file has no 'prepare'"
                reading.report("there is nothing prepared: \(why)", at: step.place)
                return
            }
            machines = prepared
        }
    }

    private func requireSomething(_ step: Step) -> Bool {
        if isUncertain { return true }
        switch state {
        case .running, .suspended: return true
        case .nothing: reading.report("nothing is up yet: the first step is 'up'", at: step.place)
        case .ended: reading.report("nothing comes behind 'down'", at: step.place)
        }
        return false
    }

    private func requireRunning(_ step: Step) -> Bool {
        guard requireSomething(step) else { return false }
        if isUncertain { return true }
        if state == .suspended { reading.report("it is suspended here: 'resume' it first", at: step.place) }
        return state == .running
    }

    private func check(_ port: Port) {
        guard let machines, !machines.contains(port.machine) else { return }
        let hint = Similarity.hint(for: port.machine, among: machines)
        reading.report("there is no machine '\(port.machine)'\(hint)", at: port.place)
    }

    private mutating func save(_ name: String?, _ step: Step) {
        guard let name else {
            hasUnnamed = true
            return
        }
        if !checkpoints.insert(name).inserted {
            reading.report("an earlier step has made the checkpoint '\(name)' already", at: step.place)
        }
    }

    private func require(_ name: String, _ step: Step) {
        // s1, s2… are the names of those that have none.
        let isNumbered = name.first == "s" && Int(name.dropFirst()) != nil
        guard !isUncertain, !checkpoints.contains(name), !(hasUnnamed && isNumbered) else { return }
        let hint = Similarity.hint(for: name, among: checkpoints.sorted())
        reading.report("no earlier step has made a checkpoint '\(name)'\(hint)", at: step.place)
    }
}
