public import Time

extension Order {
    public var operation: OperationID {
        switch self {
        case .start(let order): order.operation
        case .suspend(let order), .checkpoint(let order): order.operation
        case .resume(let order): order.operation
        }
    }

    public var kind: OperationKind {
        switch self {
        case .start: .start
        case .suspend: .suspend
        case .checkpoint: .checkpoint
        case .resume: .resume
        }
    }

    public var simulation: String {
        switch self {
        case .start(let order): order.simulation.name
        case .suspend(let order), .checkpoint(let order): order.simulation
        case .resume(let order): order.simulation.name
        }
    }

    public var machines: [String] {
        switch self {
        case .start(let order): order.simulation.machines.map(\.name)
        case .suspend(let order), .checkpoint(let order): order.machines
        case .resume(let order): order.machines.map(\.name)
        }
    }

    public var instant: HostInstant? {
        switch self {
        case .start(let order): order.instant
        case .suspend(let order), .checkpoint(let order): order.instant
        case .resume(let order): order.instant
        }
    }

    public var clockErrorLimit: Span? {
        switch self {
        case .start(let order): order.simulation.clockErrorLimit
        case .suspend(let order), .checkpoint(let order): order.clockErrorLimit
        case .resume(let order): order.simulation.clockErrorLimit
        }
    }
}
