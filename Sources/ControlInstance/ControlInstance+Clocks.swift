import HostClock
import HypervisorAPI
import Time

extension ControlInstance {
    /// What the clocks of a running simulation read.
    /// - Parameter pausing: false: only what can be read without stopping a machine, and without keeping an
    ///   operation waiting; true: all, each machine stands still for
    ///   some milliseconds.
    public func clocks(of name: String, pausing: Bool) async throws(ControlError) -> ClockReport {
        // What changes nothing keeps no operation waiting.
        guard pausing else { return try await readClocks(of: name, pausing: false) }
        return try await claiming(name, for: "clock") { () throws(ControlError) in
            try await readClocks(of: name, pausing: true)
        }
    }

    private func readClocks(of name: String, pausing: Bool) async throws(ControlError) -> ClockReport {
        let record = try await existing(name)
        guard record.state == .running else {
            throw ControlError(
                code: "simulation-not-running",
                message: "\(name) is \(record.state.rawValue); the clocks of a checkpoint are read as \(name)@NAME",
                exitCode: 3
            )
        }
        var machines: [ClockReport.Machine] = []
        for hypervisor in hypervisors where record.machines.contains(where: { $0.host == hypervisor.host }) {
            let clocks = try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.readClocks(of: name, pausing: pausing)
            }
            machines += clocks.map {
                ClockReport.Machine(
                    name: $0.machine,
                    readAt: $0.readAt,
                    pause: $0.pause,
                    clock: $0.clock,
                    notes: $0.notes
                )
            }
        }
        return ClockReport(simulation: name, checkpoint: nil, machines: machines)
    }

    /// What the clocks read when the checkpoint was made.
    public func clocks(ofCheckpoint checkpoint: String, simulation: String) async throws(ControlError) -> ClockReport {
        let detail = try await show(simulation, checkpoint)
        return ClockReport(
            simulation: simulation,
            checkpoint: checkpoint,
            machines: detail.manifest.machines.map {
                ClockReport.Machine(name: $0.name, readAt: $0.stoppedAt, pause: .zero, clock: $0.clock, notes: [])
            }
        )
    }

    /// Writes a checkpoint beside an old one that differs only in what its clocks read; the old one becomes its parent.
    /// - Throws: when the old one is missing or corrupt, the new name is taken, or a clock cannot be set so; nothing is left
    ///   of the new one then.
    public func editClocks(_ request: ClockEditRequest) async throws(ControlError) -> CheckpointDetail {
        try await claiming(request.simulation, for: "clock") { () throws(ControlError) in
            let old = try await checkpointRecord(request.checkpoint, of: request.simulation)
            let source = checkpointSet.place(of: request.checkpoint, simulation: request.simulation)
            try await sealed(source)
            var manifest = try checkpointSet.load(source)
            let name = try await newCheckpointName(request.newCheckpoint, of: request.simulation)
            let place = checkpointSet.place(of: name, simulation: request.simulation)
            let now = clock.now()
            let operation = OperationID.new(at: now)
            do throws(ControlError) {
                var machines: [MachineCheckpoint] = []
                for (hypervisor, stored) in try stored(manifest, at: source.final) {
                    let order = ClockEditOrder(
                        source: stored,
                        folder: place.partial,
                        policy: request.policy,
                        scope: request.scope
                    )
                    machines += try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
                        try await hypervisor.editClocks(order)
                    }
                }
                guard machines.map(\.name).sorted() == manifest.machines.map(\.name).sorted() else {
                    throw ControlError(
                        code: "report-incomplete",
                        message: "not every machine of \(request.simulation)@\(request.checkpoint) was written"
                    )
                }
                manifest.machines = machines
                manifest.id = sortableID(at: now)
                manifest.name = name
                manifest.created = now
                manifest.operation = operation
                manifest.tool = CheckpointSet.tool
                manifest.format = CheckpointManifest.currentFormat
                manifest.parent = CheckpointManifest.Parent(id: old.id, name: old.name)
                try checkpointSet.publish(manifest, at: place)
                try await move(manifest, to: place)
                try await writing(StoreChange(checkpoints: [CheckpointRecord(manifest)]))
            } catch {
                await discard(place, on: hypervisors.map(\.host))
                throw error
            }
            sealLater(place)
            return try await show(request.simulation, name)
        }
    }

    /// Of each host that has its part in a folder of its own.
    func move(_ manifest: CheckpointManifest, to place: CheckpointSet.Place) async throws(ControlError) {
        for (hypervisor, _) in try stored(manifest, at: place.final) {
            try await ask(hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.moveCheckpoint(folder: place.partial, to: place.final)
            }
        }
    }

    /// What each host has of a checkpoint.
    func stored(
        _ manifest: CheckpointManifest,
        at folder: String
    ) throws(ControlError) -> [(any Hypervisor, StoredCheckpoint)] {
        var hosts: [(any Hypervisor, StoredCheckpoint)] = []
        let machinesOfHosts = Dictionary(grouping: manifest.machines, by: \.host)
        for (host, machines) in machinesOfHosts.sorted(by: { $0.key < $1.key }) {
            guard let hypervisor = hypervisor(of: host) else {
                throw ControlError(
                    code: "host-not-found",
                    message:
                        "\(manifest.simulation)@\(manifest.name) has machines of host '\(host)', which is not known here: "
                        + "its part lies there; 'fermata host add' makes it known"
                )
            }
            let names = machines.map(\.name)
            let links = manifest.links.filter { names.contains($0.towards) }
            hosts.append((hypervisor, StoredCheckpoint(folder: folder, machines: machines, links: links)))
        }
        return hosts
    }
}
