import HostClock
public import HypervisorAPI
import Synchronization
import Time

extension ControlInstance {
    /// All simulations, by name.
    public func simulations() async throws(ControlError) -> [SimulationSummary] {
        let records = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        let drivers = try await peers().drivers
        var summaries = records.map { summary(of: $0, unfinished: unfinished, drivers) }
        // One whose first start is under way has no record yet.
        for operation in unfinished where !records.contains(where: { $0.name == operation.simulation }) {
            summaries.append(summary(of: operation.target, unfinished: unfinished, drivers))
        }
        return summaries.sorted { $0.simulation < $1.simulation }
    }

    /// One simulation, with its machines as their hypervisors see them.
    /// - Throws: when there is none of that name.
    public func simulation(named name: String) async throws(ControlError) -> SimulationDetail {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        let known = try await record(ofSimulation: name)
        guard let record = known ?? unfinished.first(where: { $0.simulation == name })?.target else {
            throw Self.notFound(simulation: name)
        }
        let peers = try await peers()
        var statuses: [MachineStatus] = []
        var problems: [Reason] = []
        let elsewhere = peers.hosts.intersection(record.machines.map(\.host))
        if !elsewhere.isEmpty { problems.append(.elsewhere(name, elsewhere)) }
        for hypervisor in hypervisors {
            do throws(ControlError) {
                statuses += try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.machines(of: name)
                }
            } catch {
                problems += error.reasons
            }
        }
        let summary = summary(of: record, unfinished: unfinished, peers.drivers)
        if summary.state == .running, problems.isEmpty {
            for machine in record.machines {
                let status = statuses.first { $0.name == machine.name }
                if status == nil || status?.state == .dead {
                    problems.append(
                        Reason(
                            code: "machine-not-running",
                            machine: machine.name,
                            message: "its QEMU process has ended; 'fermata down \(name)' ends the others"
                        )
                    )
                }
            }
        }
        return SimulationDetail(
            summary: summary,
            spec: record.spec,
            machines: statuses,
            triggers: try await triggers(of: record),
            problems: problems
        )
    }

    /// Ends a simulation's machines and releases what they hold; its checkpoints stay. Adopted machines are let go.
    /// - Throws: when there is none of that name, it is busy, or a host could not end its part.
    public func down(_ name: String) async throws(ControlError) -> DownReport {
        try await claiming(name, for: "down") { () throws(ControlError) in try await takeDownClaimed(name) }
    }

    /// As ``down(_:)``, for who has claimed it.
    func takeDownClaimed(_ name: String) async throws(ControlError) -> DownReport {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
            .filter { $0.simulation == name }
        let known = try await record(ofSimulation: name)
        guard var record = known ?? unfinished.first?.target else { throw Self.notFound(simulation: name) }
        try await refuseElsewhere(record)
        let before = summary(of: record, unfinished: unfinished).state
        if !unfinished.isEmpty {
            let undecided = await undecidedOperations()
            for operation in unfinished { _ = await settle(operation, undecided: undecided) }
        }
        record = try await self.record(ofSimulation: name) ?? record

        let ended = try await takeDown(record)
        try await closeUnresolved(name)
        return DownReport(simulation: name, before: before, machines: ended.sorted())
    }

    /// Ends machines on every host, and records that none is left.
    /// - Returns: their names.
    @discardableResult
    func takeDown(_ simulation: SimulationRecord) async throws(ControlError) -> [String] {
        var record = simulation
        var ended: [String] = []
        var reasons: [Reason] = []
        for (hypervisor, machines) in try await concerned(by: record) {
            do throws(ControlError) {
                if record.state != .down && record.state != .suspended || !machines.isEmpty {
                    try await end(record.name, on: hypervisor)
                }
                ended += machines
            } catch {
                reasons += error.reasons
            }
        }
        guard reasons.isEmpty else { throw ControlError(reasons) }
        await endTriggers(of: record.name, because: "\(record.name) was taken down before it had its turn")
        record.state = .down
        try await writing(StoreChange(simulation: record))
        return ended
    }

    /// The hosts that have machines of a simulation, or should, with their names.
    /// - Throws: when one of them cannot be asked; nobody's machines are ended then.
    private func concerned(
        by simulation: SimulationRecord
    ) async throws(ControlError) -> [(hypervisor: any Hypervisor, machines: [String])] {
        var concerned: [(hypervisor: any Hypervisor, machines: [String])] = []
        var reasons: [Reason] = []
        for hypervisor in hypervisors {
            let isKnown = simulation.machines.contains { $0.host == hypervisor.host }
            do throws(ControlError) {
                let machines = try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.machines(of: simulation.name)
                }
                if isKnown || !machines.isEmpty { concerned.append((hypervisor, machines.map(\.name))) }
            } catch {
                // A host that has nothing of it may be off.
                if isKnown { reasons += error.reasons }
            }
        }
        guard reasons.isEmpty else { throw ControlError(reasons) }
        return concerned
    }

    /// Takes charge of a QEMU that somebody else started.
    /// - Throws: when the simulation is not one of running machines, has a machine of that name, is busy, or the hypervisor
    ///   cannot adopt it.
    public func adopt(_ request: AdoptRequest) async throws(ControlError) -> MachineStatus {
        try Name.check(request.simulation, of: "simulation")
        try Name.check(request.machine, of: "machine")
        return try await claiming(request.simulation, for: "adopt") { () throws(ControlError) in
            let host = request.host ?? ownHost
            guard let hypervisor = hypervisor(of: host) else {
                throw ControlError(
                    code: "host-not-found",
                    message: "there is no host '\(host)'; 'fermata host ls' lists them"
                )
            }
            var record =
                try await record(ofSimulation: request.simulation)
                ?? SimulationRecord(
                    name: request.simulation,
                    state: .down,
                    spec: SimulationSpec(name: request.simulation, machines: []),
                    machines: [],
                    checkpoint: nil,
                    created: clock.now()
                )
            switch record.state {
            case .running where record.machines.contains { $0.name == request.machine }:
                throw ControlError(
                    code: "machine-exists",
                    machine: request.machine,
                    message: "\(request.simulation) has a machine of that name already",
                    exitCode: 3
                )
            case .running: break
            case .down:
                record.spec = SimulationSpec(name: request.simulation, clock: record.spec.clock, machines: [])
                record.machines = []
                record.checkpoint = nil
                record.origin = nil
            default:
                throw ControlError(
                    code: "simulation-not-running",
                    message: "\(request.simulation) is \(record.state.rawValue): no machine can join it now",
                    exitCode: 3
                )
            }
            let order = AdoptOrder(simulation: request.simulation, machine: request.machine, monitor: request.monitor)
            let status: MachineStatus
            do throws(ControlError) {
                status = try await work(hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.adopt(order)
                }
            } catch {
                throw ControlError(error.reasons, exitCode: Self.exitCode(ofAdoption: error))
            }
            record.state = .running
            record.spec.machines.append(status.launch.spec)
            record.machines.append(MachineRecord(name: request.machine, host: host, adopted: true))
            try await writing(StoreChange(simulation: record))
            return status
        }
    }

    /// What was named is wrong, or is not to be had as things are now: neither is a failure of fermata's.
    private static func exitCode(ofAdoption error: ControlError) -> Int {
        let codes = Set(error.reasons.map(\.code))
        if codes == ["monitor-invalid"] { return 2 }
        let refusals: Set = ["monitor-failed", "adopt-process-unknown", "adopt-clock-unknown", "machine-exists"]
        return !codes.isEmpty && codes.isSubset(of: refusals) ? 3 : error.exitCode
    }

    // MARK: - Records

    func record(ofSimulation name: String) async throws(ControlError) -> SimulationRecord? {
        try await reading { () throws(StoreError) in try await self.store.simulation(name) }
    }

    func existing(_ name: String) async throws(ControlError) -> SimulationRecord {
        guard let record = try await record(ofSimulation: name) else { throw Self.notFound(simulation: name) }
        return record
    }

    static func notFound(simulation name: String) -> ControlError {
        ControlError(code: "simulation-not-found", message: "there is no simulation '\(name)'; 'fermata ps' lists them")
    }

    /// - Parameter drivers: other control instances, by the simulation that they change now.
    func summary(
        of record: SimulationRecord,
        unfinished: [OperationRecord],
        _ drivers: [String: String] = [:]
    ) -> SimulationSummary {
        // Of a rewind the suspend is the later one.
        let operation = unfinished.last { $0.simulation == record.name }
        var simulationState = record.state
        if let operation {
            if drivers[record.name] != nil || state.withLock({ $0.live[operation.id] != nil }) {
                simulationState =
                    switch operation.kind {
                    case .start: .starting
                    case .suspend: .suspending
                    case .checkpoint: .checkpointing
                    case .resume: .resuming
                    }
            } else {
                simulationState = .unknown
            }
        }
        return SimulationSummary(
            simulation: record.name,
            state: simulationState,
            checkpoint: record.checkpoint,
            origin: record.origin,
            machines: record.machines.map(\.name),
            operation: operation?.id,
            driver: drivers[record.name],
            created: record.created
        )
    }

    private func end(_ simulation: String, on hypervisor: any Hypervisor) async throws(ControlError) {
        let failure = await within(options.decisionTimeout) { () -> HypervisorError? in
            do throws(HypervisorError) {
                try await hypervisor.end(simulation)
                return nil
            } catch {
                return error
            }
        }
        switch failure {
        case .some(.some(let error)): throw ControlError(error)
        case .some(nil): return
        case nil: throw ControlError([.noAnswer(hypervisor.host, options.decisionTimeout)])
        }
    }

    /// With all machines ended, nothing of an operation is left that could still be unknown.
    private func closeUnresolved(_ simulation: String) async throws(ControlError) {
        let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
        for var operation in unfinished where operation.simulation == simulation {
            if operation.state.decision == nil { try? operation.state.decide(.rollback) }
            if operation.state.decision == .rollback, operation.kind.saves, let name = operation.checkpoint {
                let place = checkpointSet.place(of: name, simulation: simulation)
                withdraw(place)
                await discard(place, on: operation.hosts)
                guard !checkpointSet.isPublished(place) else { throw ControlError([.notWithdrawn(place)]) }
            }
            try? operation.state.finish(operation.state.decision == .commit ? .done : .failed)
            operation.finished = clock.now()
            var report = operation.report ?? operation.report(.failed)
            report.outcome = operation.state.outcome ?? .failed
            report.exitCode = report.outcome.exitCode
            report.finished = operation.finished
            report.notes.append("its outcome was unknown until 'down' ended all machines")
            operation.report = report
            try await writing(StoreChange(operation: operation))
        }
    }
}
