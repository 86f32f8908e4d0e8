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
            } catch {
                found += error.of(machine.name).reasons
            }
            for file in [machine.state] + machine.disks.map(\.file) {
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

    public func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] { [] }

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

    public func removeCheckpoint(folder: String) async throws(HypervisorError) {
        try CheckpointFolder(path: folder).remove()
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
        let plan: ClockPlan
        let patches: PatchSet
        do {
            plan = try original.clocks(launch: launch, stoppedAt: stoppedAt).edit(
                policy: order.policy,
                scope: order.scope
            )
            patches = try PatchSet(plan.patches, for: original.stream)
        } catch {
            throw HypervisorError(code: "clock-policy-impossible", message: "\(error)")
        }
        let path = try folder.file(state.path)
        _ = try await FileCopy.copy(from: original.path, to: path)
        // The copy gets a digest of its own: damage must not be sealed in it.
        try original.refuseUnless(try await FileDigest.sha256(of: path))
        let copy = try StateFile.open(path, O_RDWR)
        do throws(StreamError) {
            try patches.apply(toFile: copy.number)
        } catch {
            throw HypervisorError(code: "patch-refused", message: "\(path): \(error)")
        }
        edited.launch.clock = plan.settings
        edited.state.sha256 = try await FileDigest.sha256(of: path)
        edited.deviceStateSHA256 = try await FileDigest.sha256(of: path, from: deviceStateOffset)
        edited.clock = plan.expected
        edited.disks = try await folder.share(disks, from: source)
        return edited
    }
}
