public import HypervisorAPI
public import Time

/// One thing that happened in an operation, as it is told while it runs. The last one is the result.
///
/// Encodes flat, the outside contract's JSON lines: `{"event": "phase", …}`, `{"event": "stage", …}`, and
/// `{"event": "result", …}` with the report's own keys beside it.
public enum OperationEvent: Hashable, Sendable {
    case phase(OperationID, OperationPhase, deadline: HostInstant?)
    case stage(OperationReport.Stage)
    case result(OperationReport)
}

extension OperationEvent: Codable {
    private enum CodingKeys: String, CodingKey {
        case event, operation, phase
        case deadline = "deadlineNs"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .event) {
        case "phase":
            self = .phase(
                try container.decode(OperationID.self, forKey: .operation),
                try container.decode(OperationPhase.self, forKey: .phase),
                deadline: try container.decodeIfPresent(HostInstant.self, forKey: .deadline)
            )
        case "stage": self = .stage(try OperationReport.Stage(from: decoder))
        case "result": self = .result(try OperationReport(from: decoder))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .event,
                in: container,
                debugDescription: "'\(other)' is no event: phase, stage or result"
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .phase(let operation, let phase, let deadline):
            try container.encode("phase", forKey: .event)
            try container.encode(operation, forKey: .operation)
            try container.encode(phase, forKey: .phase)
            try container.encodeIfPresent(deadline, forKey: .deadline)
        case .stage(let stage):
            try container.encode("stage", forKey: .event)
            try stage.encode(to: encoder)
        case .result(let report):
            try container.encode("result", forKey: .event)
            try report.encode(to: encoder)
        }
    }
}

extension OperationEvent {
    /// The same as ``Change`` tells it, without a whole report.
    var step: Change.Step {
        switch self {
        case .phase(_, let phase, let deadline): .phase(phase, deadline: deadline)
        case .stage(let stage): .stage(stage)
        case .result(let report): .ended(report.outcome)
        }
    }
}
