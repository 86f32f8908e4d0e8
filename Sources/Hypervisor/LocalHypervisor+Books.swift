import HostClock
import HypervisorAPI
import Time

/// What machines there are, and who holds which simulation by which handle.
extension LocalHypervisor {
    /// How long a handle for no particular instant is good.
    private static let patience = Span.seconds(60)

    func machines(named names: [String], of simulation: String) throws(HypervisorError) -> [LifetimeManager] {
        var found: [LifetimeManager] = []
        var missing: [Reason] = []
        for name in names {
            if let machine = machines[MachineName(simulation: simulation, machine: name)] {
                found.append(machine)
            } else {
                missing.append(
                    Reason(
                        code: "machine-unknown",
                        machine: name,
                        message: "there is no such machine of \(simulation) here"
                    )
                )
            }
        }
        guard missing.isEmpty else { throw HypervisorError(missing) }
        return found
    }

    func allMachines(of simulation: String?) -> [LifetimeManager] {
        machines.filter { simulation == nil || $0.key.simulation == simulation }
            .sorted { $0.key < $1.key }
            .map(\.value)
    }

    func holder(of simulation: String) -> OperationID? { holders[simulation] }

    func add(_ machine: LifetimeManager, as name: MachineName) { machines[name] = machine }

    func remove(_ name: MachineName) { machines[name] = nil }

    func requireFree(_ simulation: String) throws(HypervisorError) {
        guard let holder = holders[simulation] else { return }
        throw HypervisorError(
            code: "busy",
            message: "\(simulation) is held by operation \(holder); wait until it has ended"
        )
    }

    /// Runs `body` while no operation can take the simulation.
    func holding<Result>(
        _ simulation: String,
        for purpose: String,
        _ body: () async throws(HypervisorError) -> Result
    ) async throws(HypervisorError) -> Result {
        try requireFree(simulation)
        holders[simulation] = OperationID(text: purpose)
        defer { holders[simulation] = nil }
        return try await body()
    }

    func issueHandle(for order: Order, required: Span) -> Handle {
        let now = surroundings.clock.now()
        let earliest = now + required
        let handle = Handle(
            token: Handle.randomToken(),
            operation: order.operation,
            kind: order.kind,
            simulation: order.simulation,
            machines: order.machines,
            instant: order.instant,
            earliest: earliest,
            expires: order.instant ?? earliest + Self.patience
        )
        handles.issue(handle, now: now)
        return handle
    }

    /// What was prepared and never executed is given back, so that no forgotten handle holds machines for ever.
    func expiry(of handle: Handle) -> Task<Void, Never> {
        let wait = handle.expires - surroundings.clock.now()
        return Task { [weak self] in
            do {
                try await Task.sleep(for: wait.duration)
            } catch {
                return
            }
            await self?.cancel(handle)
        }
    }

    func forget(_ id: OperationID, of simulation: String) {
        operations[id] = nil
        if holders[simulation] == id { holders[simulation] = nil }
    }
}
