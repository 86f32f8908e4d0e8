import Glibc
import HypervisorAPI
import MigrationStream

extension MachineCheckpoint {
    /// A machine of another type or architecture is refused by name here, before a QEMU says it in its own words.
    /// - Parameter state: nil when it cannot be read.
    /// - Returns: every reason why that QEMU cannot load it.
    func obstacles(to facts: QEMUFacts, _ state: StoredState?) -> [Reason] {
        let qemu = "\(facts.path) (QEMU \(facts.version.map(String.init).joined(separator: ".")), \(facts.target))"
        var obstacles: [String] = []
        // The very name: what is a machine of its own in one QEMU (`virt`) is an alias for another one in the next.
        if facts.pinnedMachineType(launch.pinnedMachineType) != launch.pinnedMachineType {
            obstacles.append(
                "the checkpoint is of machine type \(launch.pinnedMachineType), which \(qemu) does not have"
            )
        }
        if !RAMWay.supported(by: facts.version).contains(ramWay) {
            obstacles.append("the checkpoint's RAM is in a mapped-ram file, which needs QEMU 9.0 or later to load")
        }
        // Machine types without a version have the same name for several architectures.
        if let processor = state?.stream.processor, !processor.targets.contains(facts.target),
            StreamProcessor.allTargets.contains(facts.target)
        {
            obstacles.append("the checkpoint is of a machine with \(processor), which \(qemu) does not have")
        }
        // QEMU 10.0 loads a mapped-ram file into a machine with more memory than the file has, and says nothing.
        if let memory = launch.spec.memoryBytes, let blocks = state?.stream.ramBlocks, !blocks.isEmpty {
            let saved = blocks.reduce(UInt64(0)) { sum, block in
                let (next, overflow) = sum.addingReportingOverflow(block.length)
                return overflow ? .max : next
            }
            // Boards round the size that they are given, s390x by up to a 510th.
            if saved < memory - memory / 256 {
                obstacles.append("the state has \(saved >> 20) MiB of memory, and the machine has \(memory >> 20) MiB")
            }
        }
        return obstacles.map { Reason(code: "checkpoint-incompatible", machine: name, message: $0) }
    }
}

extension CheckpointFolder {
    /// Opens a machine's state and compares everything that can be compared without reading RAM: the size, the digest of the
    /// devices, the machine type.
    func state(of machine: MachineCheckpoint) async throws(HypervisorError) -> StoredState {
        let path = try file(machine.state.path)
        guard access(path, F_OK) == 0 else {
            throw HypervisorError(code: "checkpoint-corrupt", machine: machine.name, message: "\(path) is missing")
        }
        let state = try StoredState(path: path, sha256: machine.state.sha256)
        func refuse(_ what: String) -> HypervisorError {
            HypervisorError(code: "checkpoint-corrupt", machine: machine.name, message: "\(state.path) \(what)")
        }
        guard state.stream.size == machine.state.bytes else {
            throw refuse("has \(state.stream.size) bytes; the checkpoint was sealed with \(machine.state.bytes)")
        }
        guard state.stream.deviceStateOffset == machine.deviceStateOffset,
            try await FileDigest.sha256(of: state.path, from: machine.deviceStateOffset) == machine.deviceStateSHA256
        else {
            throw refuse("has other device state than the checkpoint was sealed with")
        }
        guard state.stream.machineType == machine.launch.pinnedMachineType else {
            throw HypervisorError(
                code: "checkpoint-incompatible",
                machine: machine.name,
                message: "\(state.path) is of machine type \(state.stream.machineType ?? "unknown"), "
                    + "not \(machine.launch.pinnedMachineType)"
            )
        }
        guard (state.stream.format == .mappedRAM) == (machine.ramWay == .mapped) else {
            throw HypervisorError(
                code: "checkpoint-incompatible",
                machine: machine.name,
                message: "\(state.path) has the form \(state.stream.format.rawValue), and its RAM is said to go by "
                    + "`\(machine.ramWay.rawValue)`"
            )
        }
        return state
    }

    /// - Throws: for a path that leads out of the folder: manifests come from other people, too.
    func file(_ relative: String) throws(HypervisorError) -> String {
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                message: "the manifest names '\(relative)', no file of the checkpoint"
            )
        }
        return "\(path)/\(relative)"
    }
}
