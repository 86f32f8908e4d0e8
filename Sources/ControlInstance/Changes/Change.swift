public import HypervisorAPI
public import Time

/// Something that is different from now on. It says what, and seldom how: who wants to know asks.
public struct Change: Hashable, Sendable {
    public enum What: Hashable, Sendable {
        /// The stream does not go on where its follower last was: anything may have changed.
        case reset
        case simulation(String, SimulationState?)
        case checkpoint(String, simulation: String, removed: Bool)
        case operation(OperationID, simulation: String, Step)
        case host(String, removed: Bool)
        /// A trigger of a simulation is in another phase.
        case trigger(String, TriggerReport)
    }

    public enum Step: Hashable, Sendable {
        case phase(OperationPhase, deadline: HostInstant?)
        case stage(OperationReport.Stage)
        case ended(OperationOutcome)
    }

    /// Of this daemon's life; who last saw it goes on behind it.
    public var id: String
    public var what: What

    public init(id: String, what: What) {
        self.id = id
        self.what = what
    }

    /// The name of its kind.
    public var name: String {
        switch what {
        case .reset: "reset"
        case .simulation: "simulation"
        case .checkpoint: "checkpoint"
        case .operation: "operation"
        case .host: "host"
        case .trigger: "trigger"
        }
    }
}

extension Change: Encodable {
    private enum CodingKeys: String, CodingKey {
        case simulation, state, checkpoint, removed, operation, step, phase, stage, outcome, host, trigger
        case deadline = "deadlineNs"
    }

    /// Without its id and the name of its kind, which belong to the stream.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch what {
        case .reset: break
        case .simulation(let simulation, let state):
            try container.encode(simulation, forKey: .simulation)
            try container.encodeIfPresent(state, forKey: .state)
            try container.encode(state == nil, forKey: .removed)
        case .checkpoint(let checkpoint, let simulation, let removed):
            try container.encode(simulation, forKey: .simulation)
            try container.encode(checkpoint, forKey: .checkpoint)
            try container.encode(removed, forKey: .removed)
        case .host(let host, let removed):
            try container.encode(host, forKey: .host)
            try container.encode(removed, forKey: .removed)
        case .trigger(let simulation, let trigger):
            try container.encode(simulation, forKey: .simulation)
            try container.encode(trigger, forKey: .trigger)
        case .operation(let operation, let simulation, let step):
            try container.encode(operation, forKey: .operation)
            try container.encode(simulation, forKey: .simulation)
            switch step {
            case .phase(let phase, let deadline):
                try container.encode("phase", forKey: .step)
                try container.encode(phase, forKey: .phase)
                try container.encodeIfPresent(deadline, forKey: .deadline)
            case .stage(let stage):
                try container.encode("stage", forKey: .step)
                try container.encode(stage, forKey: .stage)
            case .ended(let outcome):
                try container.encode("ended", forKey: .step)
                try container.encode(outcome, forKey: .outcome)
            }
        }
    }
}
