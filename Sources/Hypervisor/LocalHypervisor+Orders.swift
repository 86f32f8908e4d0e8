import HypervisorAPI

extension LocalHypervisor {
    func operation(for order: Order) throws(HypervisorError) -> any HostOperation {
        var entry = JournalEntry(
            operation: order.operation,
            kind: order.kind,
            simulation: order.simulation,
            machines: order.machines,
            phase: .preparing,
            folder: nil,
            instant: order.instant
        )
        switch order {
        case .suspend(let suspend):
            entry.folder = suspend.folder
            entry.finalFolder = suspend.finalFolder
            return suspension(entry, of: try machines(named: suspend.machines, of: suspend.simulation))
        case .checkpoint(let save):
            entry.folder = save.folder
            entry.finalFolder = save.finalFolder
            return checkpointing(entry, of: try machines(named: save.machines, of: save.simulation))
        case .start(let start):
            try refuseIfPresent(start.simulation.name)
            return launch(entry, LaunchOrder(start))
        case .resume(let resume):
            guard !resume.machines.isEmpty else {
                throw HypervisorError(
                    code: "no-machines",
                    message: "a resume of \(resume.simulation.name) names no machines"
                )
            }
            try refuseIfPresent(resume.simulation.name)
            if resume.ram == .consume { try refuseIfViewed(resume) }
            return launch(entry, LaunchOrder(resume))
        }
    }

    /// An operation that the journal tells of: it can only be committed or rolled back any more.
    func operation(found entry: JournalEntry) -> any HostOperation {
        switch entry.kind {
        case .suspend:
            suspension(
                entry,
                of: allMachines(of: entry.simulation).filter { entry.machines.contains($0.name.machine) }
            )
        case .checkpoint:
            checkpointing(
                entry,
                of: allMachines(of: entry.simulation).filter { entry.machines.contains($0.name.machine) }
            )
        case .start, .resume:
            launch(entry, LaunchOrder(found: entry))
        }
    }

    private func checkpointing(
        _ entry: JournalEntry,
        of machines: [LifetimeManager]
    ) -> CheckpointOperation {
        CheckpointOperation(
            entry: entry,
            folder: entry.folder ?? "",
            machines: machines,
            surroundings: surroundings
        )
    }

    private func suspension(_ entry: JournalEntry, of machines: [LifetimeManager]) -> SuspendOperation {
        SuspendOperation(
            entry: entry,
            folder: entry.folder ?? "",
            machines: machines,
            surroundings: surroundings,
            retire: { [weak self] name in await self?.remove(name) }
        )
    }

    private func launch(_ entry: JournalEntry, _ order: LaunchOrder) -> LaunchOperation {
        let simulation = entry.simulation
        return LaunchOperation(
            entry: entry,
            plan: order,
            surroundings: surroundings,
            books: LaunchBooks(
                add: { [weak self] machine in await self?.add(machine, as: machine.name) },
                remove: { [weak self] name in await self?.remove(name) },
                machines: { [weak self] names in
                    await self?.allMachines(of: simulation).filter { names.contains($0.name.machine) } ?? []
                }
            )
        )
    }

    /// Machines that look at a checkpoint's RAM would see what another writes into it.
    private func refuseIfViewed(_ resume: ResumeOrder) throws(HypervisorError) {
        let files = resume.machines.compactMap(\.ram).map { "\(resume.folder)/\($0.path)" }
        // By the file, not its name: a view of what is not sealed has a name of its own.
        let viewers = allMachines(of: nil).filter { machine in
            guard machine.isAlive, let path = machine.record.memory?.path else { return false }
            return files.contains { FileCopy.isSame($0, path) }
        }
        guard viewers.isEmpty else {
            throw HypervisorError(
                code: "checkpoint-in-use",
                message: "\(viewers.map(\.name.description).joined(separator: ", ")) run on a view of its RAM: "
                    + "take them down, or resume it with --copy"
            )
        }
    }

    private func refuseIfPresent(_ simulation: String) throws(HypervisorError) {
        let present = allMachines(of: simulation)
        guard present.isEmpty else {
            throw HypervisorError(
                present.map { machine in
                    Reason(
                        code: "machine-exists",
                        machine: machine.name.machine,
                        message: machine.isAlive
                            ? "it is here already, process \(machine.record.identity.pid)"
                            : "it is here, dead; `fermata down \(simulation)` clears it away"
                    )
                }
            )
        }
    }
}
