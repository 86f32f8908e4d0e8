import HypervisorAPI

/// Which memory a machine that is launched gets.
struct RAMProvision: Sendable {
    /// nil: QEMU's own, which nobody else sees.
    var memory: MachineRecord.Memory?
    /// What the user should know of it.
    var note: String?

    /// - Parameter folder: the machine's run folder, which owns what is made.
    /// - Throws: when the wanted way cannot be had.
    static func provide(
        _ candidate: LaunchOrder.Candidate,
        use: RAMUse,
        checkpointFolder: String,
        runFolder folder: String,
        store: RAMStore
    ) async throws(HypervisorError) -> RAMProvision {
        if let checkpoint = candidate.checkpoint, let ram = checkpoint.ram {
            guard let id = candidate.memoryID else {
                throw HypervisorError(
                    code: "checkpoint-incompatible",
                    message:
                        "\(candidate.facts.path) cannot give a \(checkpoint.launch.pinnedMachineType) its memory from a file"
                )
            }
            let source = CheckpointRAM(
                path: try CheckpointFolder(path: checkpointFolder).file(ram.path),
                bytes: ram.bytes
            )
            let needsOwn = MemoryArguments.spoilsViews(candidate.spec, release: candidate.facts.release)
            let (path, shared) = try await source.provide(
                needsOwn && use != .consume ? .copy : use,
                ownedBy: "\(folder)/\(RunFolder.ram)",
                store: store
            )
            return RAMProvision(memory: MachineRecord.Memory(id: id, path: path, bytes: ram.bytes, shared: shared))
        }
        return try fresh(candidate, runFolder: folder, store: store)
    }

    private static func fresh(
        _ candidate: LaunchOrder.Candidate,
        runFolder folder: String,
        store: RAMStore
    ) throws(HypervisorError) -> RAMProvision {
        let wanted = candidate.spec.ramWay
        guard candidate.checkpoint?.launch.adoptedArguments == nil, wanted == nil || wanted == .file else {
            return RAMProvision()
        }
        guard let id = candidate.memoryID, let bytes = candidate.spec.memoryBytes, bytes.isMultiple(of: store.grain),
            !MemoryArguments.hasOwn(candidate.spec)
        else {
            guard wanted == nil else {
                throw HypervisorError(
                    code: "ram-way-unsupported",
                    message:
                        "`ram: file` needs `memory:`, a machine type whose memory QEMU takes from a file, and no memory in `args`"
                )
            }
            return RAMProvision()
        }
        do throws(HypervisorError) {
            let path = try store.create(bytes: bytes, ownedBy: "\(folder)/\(RunFolder.ram)")
            return RAMProvision(memory: MachineRecord.Memory(id: id, path: path, bytes: bytes, shared: true))
        } catch {
            guard wanted == nil else { throw error }
            return RAMProvision(
                note: "its RAM is not in a file, so a suspend has to write all of it: \(error)"
            )
        }
    }
}

extension LaunchOrder.Candidate {
    /// What QEMU calls the memory of this machine; nil when it cannot be given any.
    var memoryID: String? {
        (checkpoint?.launch.pinnedMachineType ?? facts.pinnedMachineType(spec.machineType)).flatMap {
            facts.memoryIDs[$0]
        }
    }
}
