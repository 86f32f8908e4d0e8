import Glibc
import GuestClock
public import HypervisorAPI
import MigrationStream

extension LocalHypervisor {
    public func verify(_ checkpoint: StoredCheckpoint) async -> [Reason] {
        let folder = CheckpointFolder(path: checkpoint.folder)
        var found: [Reason] = []
        for machine in checkpoint.machines {
            do throws(HypervisorError) {
                _ = try await folder.state(of: machine)
                if let ram = machine.ram {
                    try CheckpointRAM(path: folder.file(ram.path), bytes: ram.bytes).check(surroundings.ram)
                }
            } catch {
                found += error.of(machine.name).reasons
            }
            for file in machine.files {
                found += await folder.differences(of: file).map {
                    Reason(code: "checkpoint-corrupt", machine: machine.name, message: $0)
                }
            }
        }
        for link in checkpoint.links {
            found += await folder.differences(of: link.file).map { Reason(code: "checkpoint-corrupt", message: $0) }
        }
        return found
    }

    public func obstacles(to order: ResumeOrder) async -> [Reason] {
        do throws(HypervisorError) {
            _ = try await LaunchOrder(order).candidates(probe: surroundings.probe, store: surroundings.ram)
            return []
        } catch {
            return error.reasons
        }
    }

    public func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] {
        let stop = StopSign()
        let store = surroundings.ram
        let used = Set(allMachines(of: nil).compactMap(\.record.memory).filter(\.shared).map(\.path))
        return try await withTaskCancellationHandler {
            await checkpoint.sealed(store, sparing: used, isStopped: { stop.isUp })
        } onCancel: {
            stop.raise()
        }.get()
    }

    public func lost(_ checkpoint: StoredCheckpoint) async -> [Reason] {
        let folder = CheckpointFolder(path: checkpoint.folder)
        return checkpoint.machines.flatMap { machine -> [Reason] in
            guard let ram = machine.ram else { return [] }
            do throws(HypervisorError) {
                try CheckpointRAM(path: folder.file(ram.path), bytes: ram.bytes).check(surroundings.ram)
                return []
            } catch {
                return error.of(machine.name).reasons.filter { $0.code == "checkpoint-lost" }
            }
        }
    }

    public func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] {
        let folder = CheckpointFolder(path: order.folder)
        let source = CheckpointFolder(path: order.source.folder)
        try folder.create(machines: order.source.machines.map(\.name))
        do throws(HypervisorError) {
            for link in order.source.links {
                _ = try await FileCopy.copy(from: source.file(link.file.path), to: folder.file(link.file.path))
            }
            let edited = try await order.source.machines.gather { (machine) async throws(HypervisorError) in
                do throws(HypervisorError) {
                    return try await machine.edited(order, from: source, to: folder)
                } catch {
                    throw error.of(machine.name)
                }
            }
            try folder.sync()
            return edited
        } catch {
            try? folder.remove()
            throw error
        }
    }

    public func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {
        try CheckpointFolder(path: folder).move(to: final)
    }

    public func removeCheckpoint(folder: String) async throws(HypervisorError) {
        let used = Set(allMachines(of: nil).compactMap(\.record.memory?.path))
        try CheckpointFolder(path: folder).remove(surroundings.ram, sparing: used)
        if let arriving = ArrivalFolder(becoming: folder) { try CheckpointFolder(path: arriving.path).remove() }
    }
}

extension MachineCheckpoint {
    /// The same machine as if it had stopped at another time: a patched copy of its state, the same disk layers.
    fileprivate func edited(
        _ order: ClockEditOrder,
        from source: CheckpointFolder,
        to folder: CheckpointFolder
    ) async throws(HypervisorError) -> MachineCheckpoint {
        let original = try await source.state(of: self)
        var edited = self
        var plan: ClockPlan?
        var patches: PatchSet?
        if let policy = order.policy {
            do {
                let wanted = try original.clocks(launch: launch, stoppedAt: stoppedAt).edit(
                    policy: policy,
                    scope: order.scope
                )
                plan = wanted
                patches = try PatchSet(wanted.patches, for: original.stream)
            } catch {
                throw HypervisorError(code: "clock-policy-impossible", message: "\(error)")
            }
        }
        let path = try folder.file(state.path)
        _ = try await FileCopy.copy(from: original.path, to: path)
        // The copy gets a digest of its own: damage must not be sealed in it.
        try original.refuseUnless(try await FileDigest.sha256(of: path))
        if let patches {
            let copy = try StateFile.open(path, O_RDWR)
            do throws(StreamError) {
                try patches.apply(toFile: copy.number)
            } catch {
                throw HypervisorError(code: "patch-refused", message: "\(path): \(error)")
            }
        }
        // Those that it came with stay where they are, which its arguments say; this one lies on the original then.
        edited.launchFiles = nil
        if let plan {
            edited.launch.clock = plan.settings
            edited.clock = plan.expected
        }
        edited.state.sha256 = try await FileDigest.sha256(of: path)
        edited.deviceStateSHA256 = try await FileDigest.sha256(of: path, from: deviceStateOffset)
        edited.disks = try await folder.share(disks, from: source)
        if let ram { try await folder.share(ram, from: source) }
        return edited
    }
}

extension StoredCheckpoint {
    /// One file after the other: nobody waits for it, and everything else goes first.
    fileprivate func sealed(
        _ store: RAMStore,
        sparing used: Set<String>,
        isStopped: @escaping @Sendable () -> Bool
    ) async -> Result<[CheckpointFile], HypervisorError> {
        let folder = CheckpointFolder(path: folder)
        var sealed: [CheckpointFile] = []
        for machine in machines {
            for var file in machine.files where file.sha256 == nil {
                do throws(HypervisorError) {
                    guard !isStopped() else { throw .cancelled }
                    if file.role == .ram {
                        let ram = CheckpointRAM(path: try folder.file(file.path), bytes: file.bytes)
                        if let target = ProcFile.readLink(ram.path), used.contains(target) {
                            throw HypervisorError(
                                code: "checkpoint-in-use",
                                message: "\(target) is the RAM of a machine that runs"
                            )
                        }
                        file.sha256 = try await ram.seal(store, isStopped: isStopped)
                    } else {
                        let path = DiskLayers.absolute(file.path, in: folder.path)
                        file.sha256 = try await FileDigest.sha256(of: path, isStopped: isStopped)
                    }
                } catch {
                    return .failure(error.of(machine.name))
                }
                sealed.append(file)
            }
        }
        return .success(sealed)
    }
}
