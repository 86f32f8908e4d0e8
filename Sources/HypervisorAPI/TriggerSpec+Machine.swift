/// What a trigger says of machines.
extension TriggerSpec {
    /// What it is about and is not there.
    public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case machine(String)
        case port(Int?, machine: String)

        public var description: String {
            switch self {
            case .machine(let name): "there is no machine '\(name)'"
            case .port(let number?, let machine):
                "port \(number) of '\(machine)' is no 'log', which alone can be listened to"
            case .port(nil, let machine): "'\(machine)' has no serial port 'log', which alone can be listened to"
            }
        }
    }

    public func problem(among machines: [MachineSpec]) -> Problem? {
        guard let name = machine else { return nil }
        guard let machine = machines.first(where: { $0.name == name }) else { return .machine(name) }
        guard case .serial(_, let port, _) = condition, self.port(of: machine) == nil else { return nil }
        return .port(port, machine: name)
    }

    /// The number of the serial port that it listens to.
    public func port(of machine: MachineSpec) -> Int? {
        guard case .serial(_, let wanted, _) = condition else { return nil }
        return machine.serials.indices.first { machine.serials[$0] == .log && (wanted == nil || $0 == wanted) }
    }
}
