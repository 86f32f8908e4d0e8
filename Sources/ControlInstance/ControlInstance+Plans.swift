import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    func plan(_ request: UpRequest, _ id: OperationID) async throws(ControlError) -> OperationPlan {
        var spec = request.spec
        try spec.check()
        for index in spec.machines.indices {
            spec.machines[index].host = spec.machines[index].host.map { host(named: $0) }
        }
        guard !spec.machines.isEmpty else {
            throw ControlError(code: "no-machines", message: "\(spec.name) has no machines to start", exitCode: 3)
        }
        let old = try await record(ofSimulation: spec.name)
        if let old, old.state != .down {
            let hint =
                old.state == .suspended
                ? "resume it, or take it down first" : "take it down first"
            throw ControlError(
                code: "simulation-exists",
                message: "\(spec.name) is \(old.state.rawValue) already: \(hint)",
                exitCode: 3
            )
        }
        spec.stayForTriggers()
        spec = try await wired(spec)
        let instant = resolve(request.when)
        let parts = try parts(of: spec, names: spec.machines.map(\.name)) { spec, _ in
            .start(StartOrder(operation: id, simulation: spec, instant: instant))
        }
        let target = SimulationRecord(
            name: spec.name,
            state: .running,
            spec: spec,
            machines: spec.machines.map { MachineRecord(name: $0.name, host: $0.host ?? ownHost, adopted: false) },
            checkpoint: nil,
            created: old?.created ?? clock.now()
        )
        let record = newRecord(id, .start, checkpoint: nil, parts: parts, target: target)
        return OperationPlan(record: record, instant: instant, parts: parts)
    }

    /// - Parameter kind: suspend or checkpoint.
    func plan(
        _ request: SaveRequest,
        _ kind: OperationKind,
        _ id: OperationID
    ) async throws(ControlError) -> OperationPlan {
        try request.annotations.check()
        let simulation = try await existing(request.simulation)
        guard simulation.state == .running else {
            throw ControlError(
                code: "simulation-not-running",
                message:
                    "\(simulation.name) is \(simulation.state.rawValue): only a running simulation can be saved",
                exitCode: 3
            )
        }
        if kind == .checkpoint, let link = simulation.spec.links.first(where: \.leavesHost) {
            throw ControlError(
                code: "link-between-hosts",
                message:
                    "link '\(link.name)' joins machines of different hosts, of which one goes on while the other is still "
                    + "saved: suspend \(simulation.name) and resume it",
                exitCode: 3
            )
        }
        try await checkQuota(of: simulation)
        let name = try await newCheckpointName(request.checkpoint, of: simulation.name)
        let place = checkpointSet.place(of: name, simulation: simulation.name)
        let instant = resolve(request.when)
        let parts = try parts(of: simulation) { _, machines in
            let order = SaveOrder(
                operation: id,
                simulation: simulation.name,
                machines: machines,
                instant: instant,
                folder: place.partial,
                finalFolder: place.final,
                clockErrorLimit: simulation.spec.clockErrorLimit
            )
            return kind == .suspend ? .suspend(order) : .checkpoint(order)
        }
        var parent: CheckpointManifest.Parent?
        if let current = simulation.checkpoint {
            let record = try await reading { () throws(StoreError) in
                try await self.store.checkpoint(current, of: simulation.name)
            }
            parent = record.map { CheckpointManifest.Parent(id: $0.id, name: $0.name) }
        } else if let origin = simulation.origin {
            parent = CheckpointManifest.Parent(
                id: origin.id,
                name: origin.checkpoint,
                simulation: origin.simulation
            )
        }
        var target = simulation
        if kind == .suspend { target.state = .suspended }
        target.checkpoint = name
        var record = newRecord(id, kind, checkpoint: name, parts: parts, target: target)
        record.trigger = request.trigger
        var plan = OperationPlan(record: record, instant: instant, parts: parts, destination: place, parent: parent)
        plan.annotations = request.annotations
        return plan
    }

    func newRecord(
        _ id: OperationID,
        _ kind: OperationKind,
        checkpoint: String?,
        parts: [OperationPlan.Part],
        target: SimulationRecord
    ) -> OperationRecord {
        OperationRecord(
            id: id,
            kind: kind,
            simulation: target.name,
            checkpoint: checkpoint,
            hosts: parts.map(\.hypervisor.host),
            target: target,
            state: OperationState(),
            started: clock.now()
        )
    }

    func resolve(_ when: When) -> HostInstant? {
        switch when {
        case .asap: nil
        case .at(let instant): instant
        case .in(let span): clock.now() + span
        }
    }

    private func parts(
        of simulation: SimulationRecord,
        order: (SimulationSpec, [String]) -> Order
    ) throws(ControlError) -> [OperationPlan.Part] {
        let hosts = Dictionary(simulation.machines.map { ($0.name, $0.host) }, uniquingKeysWith: { first, _ in first })
        let names = simulation.machines.map(\.name)
        return try parts(of: simulation.spec, hosts: hosts, names: names, areThere: true, order: order)
    }

    /// One part a host, each with what of the simulation is that host's.
    /// - Parameter areThere: they run already: nothing comes to a host that it would refuse.
    func parts(
        of spec: SimulationSpec,
        hosts: [String: String] = [:],
        names: [String],
        areThere: Bool = false,
        order: (SimulationSpec, [String]) -> Order
    ) throws(ControlError) -> [OperationPlan.Part] {
        // Each machine is looked up once: a fleet has a thousand hosts and ten thousand machines.
        let wanted = Dictionary(
            spec.machines.compactMap { machine in machine.host.map { (machine.name, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
        let host = { (machine: String) in hosts[machine] ?? wanted[machine] ?? self.ownHost }
        let known = Set(hypervisors.map(\.host))
        let strange = names.filter { !known.contains(host($0)) }
        let places = Dictionary(names.map { ($0, host($0)) }, uniquingKeysWith: { first, _ in first })
        let reasons =
            strange.map { machine in
                Reason(
                    code: "host-not-found",
                    machine: machine,
                    message: "there is no host '\(host(machine))'; known: \(known.sorted().joined(separator: ", "))"
                )
            }
            + linkObstacles(spec, places)
            + (areThere ? [] : names.compactMap { obstacle(toPlacing: $0, on: host($0)) })
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
        let owns = Dictionary(grouping: names, by: host)
        let machines = Dictionary(grouping: spec.machines.filter { places[$0.name] != nil }) { host($0.name) }
        var links: [String: [LinkSpec]] = [:]
        for link in spec.links {
            for place in Set(link.ends.compactMap { places[$0.machine] }) { links[place, default: []].append(link) }
        }
        let used = hypervisors.filter { owns[$0.host] != nil }
        return used.enumerated().map { index, hypervisor in
            let own = owns[hypervisor.host] ?? []
            var part = spec
            part.machines = machines[hypervisor.host] ?? []
            part.links = links[hypervisor.host] ?? []
            // A resource belongs to the simulation as a whole and is to be held once.
            part.resources = index == 0 ? spec.resources : []
            return OperationPlan.Part(hypervisor: hypervisor, order: order(part, own), machines: own)
        }
    }
}
