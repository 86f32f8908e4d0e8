import GuestClock
import HypervisorAPI
import Time

/// What lets machines go on from a checkpoint.
extension ControlInstance {
    func plan(_ request: ResumeRequest, _ id: OperationID) async throws(ControlError) -> OperationPlan {
        let simulation = try await existing(request.simulation)
        guard simulation.state == .suspended || simulation.state == .down else {
            throw ControlError(
                code: "simulation-exists",
                message:
                    "\(simulation.name) is \(simulation.state.rawValue): suspend it or take it down before it is resumed",
                exitCode: 3
            )
        }
        var request = request
        if simulation.state == .suspended, request.checkpoint == nil { request.checkpoint = simulation.checkpoint }
        return try await plan(request, of: simulation, id)
    }

    /// Whatever the simulation does now: by the time this plan is carried out, it has no machines.
    func plan(
        _ request: ResumeRequest,
        of simulation: SimulationRecord,
        _ id: OperationID
    ) async throws(ControlError) -> OperationPlan {
        guard let name = request.checkpoint else {
            throw ControlError(
                code: "checkpoint-not-named",
                message: "\(simulation.name) is down, not suspended: name the checkpoint to resume, "
                    + "\(simulation.name)@NAME; 'fermata log \(simulation.name)' lists them",
                exitCode: 2
            )
        }
        _ = try await checkpointRecord(name, of: simulation.name)
        let place = checkpointSet.place(of: name, simulation: simulation.name)
        let manifest = try checkpointSet.load(place)
        var target = simulation
        target.state = .running
        target.spec = try await wired(manifest.spec, hosts: manifest.hosts)
        target.machines = manifest.machineRecords
        target.checkpoint = name
        return try plan(request, from: manifest, at: place, to: target, id)
    }

    func refuseConsumed(_ manifest: CheckpointManifest, at place: CheckpointSet.Place) throws(ControlError) {
        guard checkpointSet.isConsumed(manifest, at: place) else { return }
        throw ControlError(
            code: "checkpoint-consumed",
            message:
                "machines went on with the RAM of \(place.simulation)@\(place.name) itself: nobody can go on from it any more",
            exitCode: 3
        )
    }

    /// - Parameters:
    ///   - manifest: what machines are launched from: that of the checkpoint, or one that differs in how they are launched.
    ///   - target: the simulation as it is afterwards.
    func plan(
        _ request: ResumeRequest,
        from manifest: CheckpointManifest,
        at place: CheckpointSet.Place,
        to target: SimulationRecord,
        _ id: OperationID
    ) throws(ControlError) -> OperationPlan {
        try refuseConsumed(manifest, at: place)
        let policy = request.policy ?? target.spec.clock
        let instant = resolve(request.when)
        let saved = Dictionary(grouping: manifest.machines, by: \.name)
        let parts = try parts(of: target.spec, hosts: manifest.hosts, names: manifest.machines.map(\.name)) {
            spec,
            names in
            .resume(
                ResumeOrder(
                    operation: id,
                    simulation: spec,
                    machines: names.flatMap { saved[$0] ?? [] },
                    links: manifest.links.filter { names.contains($0.towards) },
                    instant: instant,
                    folder: place.final,
                    policy: policy,
                    scope: request.scope,
                    ram: request.ram
                )
            )
        }
        let record = newRecord(id, .resume, checkpoint: target.checkpoint, parts: parts, target: target)
        return OperationPlan(
            record: record,
            instant: instant,
            parts: parts,
            source: request.ram == .consume ? place : nil,
            policy: policy,
            scope: request.scope
        )
    }
}

extension CheckpointManifest {
    /// Of machines, by name.
    var hosts: [String: String] {
        Dictionary(machines.map { ($0.name, $0.host) }, uniquingKeysWith: { first, _ in first })
    }

    var machineRecords: [MachineRecord] {
        machines.map { MachineRecord(name: $0.name, host: $0.host, adopted: $0.launch.adoptedArguments != nil) }
    }
}
